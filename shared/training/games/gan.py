"""A generator against a discriminator (Radford, Metz & Chintala 2015): the encoder `gan`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from shared.encoders.gan.adversarial import GAN
from shared.encoders.gan.networks import AdversarialArchitecture, Discriminator
from shared.encoders.gan.readout import statistics
from shared.training.games.game import GameLearner, GameRecipe, contrast_head
from shared.training.games.losses import descend, hinge
from shared.training.games.spectral import denormalised, normalised
from shared.training.learner import Losses

_GRID = 2
"""What the views of a picture are told by: the largest values in so many rows and columns of each map, as in section
5.1 of Radford et al., where it is 4."""


class GanLearner(GameLearner):
    """A generator against a discriminator, whose features are the embedding."""

    family = GAN

    def __init__(self, architecture: AdversarialArchitecture, recipe: GameRecipe, **known: Any) -> None:  # noqa: ANN401 - as the base takes them
        super().__init__(architecture, recipe, **known)
        self._discriminator = normalised(Discriminator(architecture)).to(self._device)
        self._contrast = contrast_head(_GRID**2 * sum(architecture.widths)).to(self._device)
        self._generator_adam = self._adam(recipe.generator_rate, self._generator)
        self._discriminator_adam = self._adam(recipe.discriminator_rate, self._discriminator, self._contrast)

    def step(self) -> Losses:
        """See Learner.step."""
        images = self._drawn()
        count = len(images)
        with torch.no_grad():
            made = self._generator(self._latent(count))
        self._discriminator.train()
        maps = self._discriminator.trunk(torch.cat([self._view(images), self._view(images), self._changed(made)]))
        verdicts = self._discriminator.verdict(maps[-1].flatten(1))
        told_apart = hinge(verdicts[:count], verdicts[2 * count :])
        together = self._together(self._contrast(_layer_features([values[: 2 * count] for values in maps])))
        descend(told_apart + self._recipe.contrast * together, self._discriminator_adam)

        fooled = -self._discriminator(self._changed(self._generator(self._latent(count)))).mean()
        descend(fooled, self._generator_adam)
        self._follow()
        return {"discriminator": told_apart.item(), "generator": fooled.item(), "contrast": together.item()}

    def _layers(self) -> Mapping[str, Tensor]:
        return {f"trunk.{name}": tensor for name, tensor in denormalised(self._discriminator.trunk).items()}

    def _statistics(self, pictures: Tensor) -> Tensor:
        self._discriminator.eval()
        return statistics(self._discriminator.trunk(pictures))

    def _stateful(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self._generator,
            "average": self._average,
            "discriminator": self._discriminator,
            "contrast": self._contrast,
            "generator_adam": self._generator_adam,
            "discriminator_adam": self._discriminator_adam,
        }


def _layer_features(maps: list[Tensor]) -> Tensor:
    """Pool each map, (batch, channels, height, width), scale it to unit length, and return them all as one vector."""
    pooled = [nn.functional.adaptive_max_pool2d(values, _GRID).flatten(1) for values in maps]
    return torch.cat([nn.functional.normalize(values) for values in pooled], dim=1)
