"""Learns a head on what a frozen CNN sees: the encoders `rnn` and `cnn_head`."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shared.encoders.cnn import projection
from shared.encoders.cnn.projection import ProjectionArchitecture, ProjectionHead
from shared.encoders.rnn import recurrent
from shared.encoders.rnn.head import RecurrentArchitecture, RecurrentHead
from shared.training.frozen import Seen
from shared.training.learner import Losses
from shared.training.losses import LossName, metric_loss
from shared.training.pictures import Split
from shared.training.projection import start_at_principal_axes
from shared.training.quality import Quality, among_classes, of_views
from shared.training.sampling import Batch, pairs_of_views, some_of_each_class

_WARM_UP = 0.1
"""The share of the training in which the rate rises."""
_JUDGED_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecipe:
    """How a head learns."""

    loss: LossName = "supcon"
    """Of the classes; beside it, and alone where there are none, views of one picture are drawn together."""
    batch: int = 128
    of_each_class: int = 4
    rate: float = 1e-3
    context_rate: float = 3e-4
    """Of the sweeps. Lower: they have many more weights, and see classes that are not those to be found later."""
    weight_decay: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An untrained head, and the encoder that it is for."""

    family: str
    module: RecurrentHead | ProjectionHead
    architecture: RecurrentArchitecture | ProjectionArchitecture


def recurrent_head(dim: int) -> Head:
    architecture = RecurrentArchitecture(dim=dim)
    return Head(family=recurrent.NAME, module=RecurrentHead(architecture), architecture=architecture)


def projection_head(dim: int) -> Head:
    architecture = ProjectionArchitecture(dim=dim)
    return Head(family=projection.NAME, module=ProjectionHead(architecture), architecture=architecture)


class HeadLearner:
    """Draws views at random from those that were looked at beforehand, so a step costs no more than the head."""

    def __init__(
        self,
        head: Head,
        recipe: HeadRecipe,
        *,
        seen: Seen,
        labels: Tensor | None,
        parts: Split,
        device: torch.device,
        seed: int,
    ) -> None:
        """The head begins at the principal axes of the vectors that are learned from.

        seen, labels: of all pictures, on the CPU. Raises MissingExtra.
        """
        self.family = head.family
        self._seen, self._labels, self._parts = seen, labels, parts
        self._architecture, self._recipe, self._device = head.architecture, recipe, device
        start_at_principal_axes(head.module.pooled, seen.pooled[:, parts.learned].flatten(0, 1).float())
        self._head = head.module.to(device)
        classes = 0 if labels is None else int(labels.max()) + 1
        self._of_views = metric_loss("nt-xent", classes=0, dim=head.architecture.dim)
        self._of_classes = metric_loss(recipe.loss, classes=classes, dim=head.architecture.dim).to(device)
        projected = [*self._head.pooled.parameters(), *self._of_classes.parameters()]
        context = [value for name, value in self._head.named_parameters() if not name.startswith("pooled.")]
        self._optimizer = torch.optim.AdamW(
            [{"params": projected, "rate": recipe.rate}, {"params": context, "rate": recipe.context_rate}],
            weight_decay=recipe.weight_decay,
        )
        self._generator = torch.Generator().manual_seed(seed)
        self._batches: list[Batch] = []

    @property
    def steps_per_epoch(self) -> int:
        return max(1, 2 * len(self._parts.learned) // self._recipe.batch)  # as many draws as two views of each

    def begin_epoch(self, progress: float) -> None:
        """See Learner.begin_epoch."""
        rising = min(1.0, (progress + _WARM_UP / 2) / _WARM_UP)
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * rising * (1 + math.cos(math.pi * progress)) / 2
        views = len(self._seen.maps)
        if self._labels is None:
            self._batches = pairs_of_views(self._parts.learned, views, self._recipe.batch, self._generator)
        else:
            self._batches = some_of_each_class(
                self._parts.learned,
                self._labels[self._parts.learned],
                views,
                batch=self._recipe.batch,
                of_each=self._recipe.of_each_class,
                batches=self.steps_per_epoch,
                generator=self._generator,
            )

    def step(self) -> Losses:
        """See Learner.step."""
        batch = self._batches.pop()
        self._head.train()
        bf16 = self._device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=bf16):
            embeddings = self._embed(batch.views, batch.rows)
        together: Tensor = self._of_views(embeddings.float(), batch.rows.to(self._device))
        losses = {"views": together}
        if self._labels is not None:
            losses["classes"] = self._of_classes(embeddings.float(), self._labels[batch.rows].to(self._device))
        loss = torch.stack(list(losses.values())).mean()
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def quality(self) -> Quality:
        """See Learner.quality."""
        rows = self._parts.held_out
        vectors = self.embeddings(rows, view=0)
        if self._labels is None:
            return of_views(vectors, self.embeddings(rows, view=1))
        return among_classes(vectors, self._labels[rows])

    @torch.inference_mode()
    def embeddings(self, rows: Tensor, view: int) -> Tensor:
        """Return float32 (len(rows), dim) of one view of each picture, on the CPU."""
        self._head.eval()
        parts = torch.split(rows, _JUDGED_AT_ONCE)
        return torch.cat([self._embed(torch.full_like(part, view), part).float().cpu() for part in parts])

    def _embed(self, views: Tensor, rows: Tensor) -> Tensor:
        maps, pooled = self._seen.maps[views, rows], self._seen.pooled[views, rows]
        embeddings: Tensor = self._head(maps.to(self._device).float(), pooled.to(self._device).float())
        return embeddings

    def show(self, folder: Path, epoch: int) -> None:
        """There is nothing to look at."""

    def state(self) -> dict[str, Any]:
        """See Learner.state."""
        parts = self._stateful()
        return {name: part.state_dict() for name, part in parts.items()} | {"generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See Learner.restore."""
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        self._generator.set_state(state["generator"])

    def _stateful(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {"head": self._head, "of_classes": self._of_classes, "optimizer": self._optimizer}

    def tensors(self) -> dict[str, Tensor]:
        """See Learner.tensors: the head alone, without the CNN, which is installed."""
        return {f"head.{name}": tensor.detach().cpu().clone() for name, tensor in self._head.state_dict().items()}

    def architecture(self) -> dict[str, Any]:
        """See Learner.architecture."""
        return asdict(self._architecture)
