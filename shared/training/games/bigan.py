"""A generator and its inverse (Donahue, Krähenbühl & Darrell 2016): the encoder `bigan`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from shared.encoders.gan.adversarial import BIGAN
from shared.encoders.gan.networks import AdversarialArchitecture, CodeEncoder, JointDiscriminator
from shared.encoders.gan.readout import statistics
from shared.training.games.game import GameLearner, GameRecipe, contrast_head, initialise
from shared.training.games.losses import descend, hinge
from shared.training.games.spectral import normalised
from shared.training.learner import Losses


class BiganLearner(GameLearner):
    """A generator and its inverse against a joint discriminator; the inverse is read."""

    family = BIGAN

    def __init__(self, architecture: AdversarialArchitecture, recipe: GameRecipe, **known: Any) -> None:  # noqa: ANN401 - as the base takes them
        super().__init__(architecture, recipe, **known)
        self._encoder = CodeEncoder(architecture).apply(initialise).to(self._device)
        self._discriminator = normalised(JointDiscriminator(architecture)).to(self._device)
        self._contrast = contrast_head(architecture.latent).to(self._device)
        self._generator_adam = self._adam(recipe.generator_rate, self._generator)
        self._encoder_adam = self._adam(recipe.generator_rate, self._encoder, self._contrast)
        self._discriminator_adam = self._adam(recipe.discriminator_rate, self._discriminator)

    def step(self) -> Losses:
        """See Learner.step."""
        images = self._drawn()
        count = len(images)
        self._encoder.train()
        self._discriminator.train()
        views = torch.cat([self._view(images), self._view(images)])
        codes = self._encoder(views)
        latent = self._latent(count)
        made = self._changed(self._generator(latent))
        verdicts = self._discriminator(
            torch.cat([views[:count], made.detach()]), torch.cat([codes[:count].detach(), latent])
        )
        told_apart = hinge(verdicts[:count], verdicts[count:])
        descend(told_apart, self._discriminator_adam)

        verdicts = self._discriminator(torch.cat([views[:count], made]), torch.cat([codes[:count], latent]))
        fooled = verdicts[:count].mean() - verdicts[count:].mean()
        together = self._together(self._contrast(codes))
        descend(fooled + self._recipe.contrast * together, self._generator_adam, self._encoder_adam)
        self._follow()
        return {"discriminator": told_apart.item(), "generator": fooled.item(), "contrast": together.item()}

    def _layers(self) -> Mapping[str, Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in self._encoder.state_dict().items()}

    def _statistics(self, pictures: Tensor) -> Tensor:
        self._encoder.eval()
        maps = self._encoder.trunk(pictures)
        return statistics(maps, self._encoder.latent(maps[-1].flatten(1)))

    def _stateful(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self._generator,
            "average": self._average,
            "encoder": self._encoder,
            "discriminator": self._discriminator,
            "contrast": self._contrast,
            "generator_adam": self._generator_adam,
            "encoder_adam": self._encoder_adam,
            "discriminator_adam": self._discriminator_adam,
        }
