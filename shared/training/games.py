"""Learns the networks of an adversarial game: the encoders `gan` and `bigan`.

The hinge loss (Lim and Ye 2017; Miyato et al. 2018), spectral normalisation of the discriminators (Miyato et al.
2018), and the same changes to real and to made pictures before they are told apart (Zhao et al., "Differentiable
Augmentation for Data-Efficient GAN Training", 2020): each of them so that few pictures are enough. Beside the game, the
network whose features are wanted learns that two views of one picture belong together, as in Jeong and Shin, "Training
GANs with Stronger Augmentations via Contrastive Discriminator" (2021).
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from shared.encoders.gan.adversarial import BIGAN, GAN, DiscriminatorFeatures, layer_features
from shared.encoders.gan.networks import (
    SIDE,
    AdversarialArchitecture,
    CodeEncoder,
    Discriminator,
    Generator,
    JointDiscriminator,
)
from shared.training.augmentation import Augmentation
from shared.training.learner import Losses
from shared.training.pictures import Pictures, Split
from shared.training.quality import Quality, among_classes, of_views
from shared.training.samples import write_sheet

_BETAS = (0.5, 0.999)  # of Adam, as in Radford et al.
_TEMPERATURE = 0.1
_SHOWN = 64
_JUDGED_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class GameRecipe:
    """How the game is played."""

    batch: int = 32
    steps_per_epoch: int = 50
    generator_rate: float = 2e-4
    discriminator_rate: float = 4e-4
    """Higher, so that one step of each is enough (Heusel et al. 2017)."""
    contrast: float = 1.0
    """The weight of the loss that draws views of one picture together."""
    average_decay: float = 0.99
    """Of the running average of the generator's weights, which makes the samples."""


class GameLearner:
    """What both games have in common. The pictures stay where they are; each batch goes to the device."""

    family: str

    def __init__(
        self,
        architecture: AdversarialArchitecture,
        recipe: GameRecipe,
        *,
        pictures: Pictures,
        parts: Split,
        device: torch.device,
        seed: int,
    ) -> None:
        """pictures: 64 pixels high and wide."""
        torch.manual_seed(seed)
        self._architecture, self._recipe, self._device = architecture, recipe, device
        self._pictures, self._parts = pictures, parts
        self._augmentation = Augmentation(smallest_area=0.4, turn_radians=0.0)
        self._random = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64)
        self._generator = Generator(architecture).apply(_initialise).to(device)
        self._average = copy.deepcopy(self._generator).requires_grad_(requires_grad=False).eval()
        self._shown = torch.randn(_SHOWN, architecture.latent, generator=self._random)

    @property
    def steps_per_epoch(self) -> int:
        return self._recipe.steps_per_epoch

    def begin_epoch(self, progress: float) -> None:
        """See Learner.begin_epoch. The rates stay what they are: a game has no minimum to settle in."""

    def quality(self) -> Quality:
        """See Learner.quality."""
        held_out = self._pictures.only(self._parts.held_out)
        vectors = self._embed_all(held_out.images)
        if held_out.labels is not None:
            return among_classes(vectors, held_out.labels)
        random = torch.Generator().manual_seed(0)  # the same views each time
        return of_views(vectors, self._embed_all(self._augmentation.views(held_out.images, SIDE, random)))

    def show(self, folder: Path, epoch: int) -> None:
        """Write a sheet of what the generator makes, always of the same numbers."""
        with torch.inference_mode():
            made = self._average(self._shown.to(self._device))
        write_sheet(made.cpu(), folder / f"samples-{epoch:03}.png")

    def state(self) -> dict[str, Any]:
        """See Learner.state."""
        parts = {name: part.state_dict() for name, part in self._stateful().items()}
        return parts | {"random": self._random.get_state(), "order": self._order}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See Learner.restore."""
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        self._random.set_state(state["random"])
        self._order = state["order"]

    def architecture(self) -> dict[str, Any]:
        """See Learner.architecture."""
        return asdict(self._architecture)

    def _stateful(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        raise NotImplementedError

    def _embed(self, pictures: Tensor) -> Tensor:
        """Return the embeddings of pictures between -1 and 1."""
        raise NotImplementedError

    @torch.inference_mode()
    def _embed_all(self, images: Tensor) -> Tensor:
        parts = torch.split(images, _JUDGED_AT_ONCE)
        return torch.cat([self._embed(_scaled(part).to(self._device)).cpu() for part in parts])

    def _drawn(self) -> Tensor:
        """Return the next pictures, uint8 (batch, 3, 64, 64); each comes once before any comes again."""
        batch = min(self._recipe.batch, len(self._parts.learned))
        while len(self._order) < batch:
            shuffled = torch.randperm(len(self._parts.learned), generator=self._random)
            self._order = torch.cat([self._order, self._parts.learned[shuffled]])
        chosen, self._order = self._order[:batch], self._order[batch:]
        return self._pictures.images[chosen]

    def _view(self, images: Tensor) -> Tensor:
        """Change real pictures, uint8, and bring them between -1 and 1 and onto the device."""
        return _scaled(self._augmentation.views(images, SIDE, self._random)).to(self._device)

    def _changed(self, made: Tensor) -> Tensor:
        """Change made pictures, between -1 and 1, with their gradients."""
        return _scaled(self._augmentation.views((made + 1) * 127.5, SIDE, self._random))

    def _latent(self, count: int) -> Tensor:
        return torch.randn(count, self._architecture.latent, generator=self._random).to(self._device)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average of the generator towards what it is now; its statistics of batches are taken as they are."""
        now = self._generator.state_dict()
        for name, value in self._average.state_dict().items():
            if value.is_floating_point() and "running" not in name:
                value.lerp_(now[name], 1 - self._recipe.average_decay)
            else:
                value.copy_(now[name])

    def _adam(self, rate: float, *networks: nn.Module) -> torch.optim.Adam:
        parameters = [parameter for network in networks for parameter in network.parameters()]
        return torch.optim.Adam(parameters, rate, betas=_BETAS)


class GanLearner(GameLearner):
    """A generator against a discriminator, whose features are the embedding."""

    family = GAN

    def __init__(self, architecture: AdversarialArchitecture, recipe: GameRecipe, **known: Any) -> None:  # noqa: ANN401 - as the base takes them
        super().__init__(architecture, recipe, **known)
        self._discriminator = normalised(Discriminator(architecture)).to(self._device)
        self._contrast = _contrast_head(DiscriminatorFeatures.dim_of(architecture)).to(self._device)
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
        told_apart = _hinge(verdicts[:count], verdicts[2 * count :])
        together = nt_xent(self._contrast(layer_features([values[: 2 * count] for values in maps])))
        _descend(told_apart + self._recipe.contrast * together, self._discriminator_adam)

        fooled = -self._discriminator(self._changed(self._generator(self._latent(count)))).mean()
        _descend(fooled, self._generator_adam)
        self._follow()
        return {"discriminator": told_apart.item(), "generator": fooled.item(), "contrast": together.item()}

    def tensors(self) -> dict[str, Tensor]:
        """See Learner.tensors: the layers that the features come from."""
        return {f"trunk.{name}": tensor for name, tensor in denormalised(self._discriminator.trunk).items()}

    def _embed(self, pictures: Tensor) -> Tensor:
        self._discriminator.eval()
        return layer_features(self._discriminator.trunk(pictures))

    def _stateful(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self._generator,
            "average": self._average,
            "discriminator": self._discriminator,
            "contrast": self._contrast,
            "generator_adam": self._generator_adam,
            "discriminator_adam": self._discriminator_adam,
        }


class BiganLearner(GameLearner):
    """A generator and its inverse against a joint discriminator; what the inverse gives is the embedding."""

    family = BIGAN

    def __init__(self, architecture: AdversarialArchitecture, recipe: GameRecipe, **known: Any) -> None:  # noqa: ANN401 - as the base takes them
        super().__init__(architecture, recipe, **known)
        self._encoder = CodeEncoder(architecture).apply(_initialise).to(self._device)
        self._discriminator = normalised(JointDiscriminator(architecture)).to(self._device)
        self._contrast = _contrast_head(architecture.latent).to(self._device)
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
        told_apart = _hinge(verdicts[:count], verdicts[count:])
        _descend(told_apart, self._discriminator_adam)

        verdicts = self._discriminator(torch.cat([views[:count], made]), torch.cat([codes[:count], latent]))
        fooled = verdicts[:count].mean() - verdicts[count:].mean()
        together = nt_xent(self._contrast(codes))
        _descend(fooled + self._recipe.contrast * together, self._generator_adam, self._encoder_adam)
        self._follow()
        return {"discriminator": told_apart.item(), "generator": fooled.item(), "contrast": together.item()}

    def tensors(self) -> dict[str, Tensor]:
        """See Learner.tensors."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self._encoder.state_dict().items()}

    def _embed(self, pictures: Tensor) -> Tensor:
        self._encoder.eval()
        codes: Tensor = self._encoder(pictures)
        return codes

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


def nt_xent(embeddings: Tensor) -> Tensor:
    """Let each view find the other one of its picture in the batch, by the cosine (Chen et al. 2020, equation 1).

    embeddings: (2 * count, dim); rows i and i + count are views of one picture.
    """
    unit = nn.functional.normalize(embeddings)
    similarity = (unit @ unit.T / _TEMPERATURE).fill_diagonal_(-torch.inf)
    others = torch.arange(len(unit), device=unit.device).roll(len(unit) // 2)
    return nn.functional.cross_entropy(similarity, others)


def _hinge(real: Tensor, made: Tensor) -> Tensor:
    return (1 - real).relu().mean() + (1 + made).relu().mean()


def _descend(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    torch.autograd.backward(loss)
    for optimizer in optimizers:
        optimizer.step()


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def _contrast_head(dim: int) -> nn.Module:
    return nn.Sequential(nn.Linear(dim, 256), nn.ReLU(), nn.Linear(256, 128))


def _initialise(layer: nn.Module) -> None:
    """As in Radford et al."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)


def normalised(network: nn.Module) -> Any:  # noqa: ANN401 - the same network
    """Hold each layer by the largest singular value of its weights."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)
    return network


def denormalised(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights and biases of the layers as the normalisation gives them, by their plain names."""
    network.eval()
    found = {}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            found[f"{name}.weight"] = layer.weight.detach().cpu().clone()
            if layer.bias is not None:
                found[f"{name}.bias"] = layer.bias.detach().cpu().clone()
    return found
