"""Losses of metric learning: what belongs together is drawn together, and what does not is pushed apart."""

from typing import Literal

from torch import nn

LossName = Literal["supcon", "multi-similarity", "proxy-anchor", "nt-xent"]
"""Khosla et al. 2020; Wang et al. 2019; Kim et al. 2020; Chen et al. 2020."""


class MissingExtra(ValueError):
    """A package is not installed that only training needs."""


def metric_loss(name: LossName, *, classes: int, dim: int) -> nn.Module:
    """Return a module that maps embeddings (batch, dim) and labels (batch) to a loss. Proxies have parameters.

    classes: how many labels there are, for the one that has a proxy for each. Raises MissingExtra.
    """
    try:
        from pytorch_metric_learning import losses  # noqa: PLC0415 - optional, and brings scipy and scikit-learn
    except ImportError as error:
        raise MissingExtra("training needs pytorch-metric-learning; install afterimage[study]") from error
    made: nn.Module
    match name:
        case "supcon":
            made = losses.SupConLoss(temperature=0.1)
        case "nt-xent":
            made = losses.NTXentLoss(temperature=0.1)
        case "multi-similarity":
            made = losses.MultiSimilarityLoss()
        case "proxy-anchor":
            if not classes:  # there is nothing to be a proxy of
                return metric_loss("supcon", classes=0, dim=dim)
            made = losses.ProxyAnchorLoss(num_classes=classes, embedding_size=dim)
    return made
