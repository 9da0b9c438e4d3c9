"""What both adversarial games have in common: pictures, changes, the generator and its average.

The hinge loss (Lim and Ye 2017; Miyato et al. 2018), spectral normalisation of the discriminators (Miyato et al.
2018), and the same changes to real and to made pictures before they are told apart (Zhao et al., "Differentiable
Augmentation for Data-Efficient GAN Training", 2020): each of them so that few pictures are enough. Beside the game, the
network whose features are wanted learns that two views of one picture belong together, as in Jeong and Shin, "Training
GANs with Stronger Augmentations via Contrastive Discriminator" (2021). When it is judged, a readout is fitted to it.
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shared.encoders.gan.adversarial import BIGAN
from shared.encoders.gan.networks import SIDE, AdversarialArchitecture, Generator
from shared.encoders.gan.readout import lengths
from shared.training.augmentation import Augmentation
from shared.training.games.readout import fit_readout
from shared.training.losses import metric_loss
from shared.training.pictures import Pictures, Split
from shared.training.quality import Quality, among_classes, of_views
from shared.training.samples import write_sheet

_BETAS = (0.5, 0.999)  # of Adam, as in Radford et al.
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
        self._generator = Generator(architecture).apply(initialise).to(device)
        self._average = copy.deepcopy(self._generator).requires_grad_(requires_grad=False).eval()
        self._shown = torch.randn(_SHOWN, architecture.latent, generator=self._random)
        self._alike = metric_loss("supcon", classes=0, dim=0)
        self._lengths = lengths(architecture, inverse=self.family == BIGAN)
        self._readout = torch.zeros(architecture.dim, sum(self._lengths)), torch.zeros(architecture.dim)

    @property
    def steps_per_epoch(self) -> int:
        return self._recipe.steps_per_epoch

    def begin_epoch(self, progress: float) -> None:
        """See Learner.begin_epoch. The rates stay what they are: a game has no minimum to settle in."""

    def quality(self) -> Quality:
        """See Learner.quality. The readout is fitted anew, as the encoder's file will hold it."""
        learned = self._statistics_of_all(self._pictures.images[self._parts.learned])
        self._readout = fit_readout(learned, self._lengths, self._architecture.dim)
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

    def tensors(self) -> dict[str, Tensor]:
        """See Learner.tensors: the layers that are read, and the readout that `quality` fitted to them last."""
        return {**self._layers(), "readout.weight": self._readout[0], "readout.bias": self._readout[1]}

    def _layers(self) -> Mapping[str, Tensor]:
        """Return the weights of the layers that are read, by their names in `LayerReadout`, on the CPU."""
        raise NotImplementedError

    def _statistics(self, pictures: Tensor) -> Tensor:
        """Return what there is to be read of pictures between -1 and 1, as an encoder will compute it."""
        raise NotImplementedError

    def _embed_all(self, images: Tensor) -> Tensor:
        weight, bias = self._readout
        return self._statistics_of_all(images) @ weight.T + bias

    @torch.inference_mode()
    def _statistics_of_all(self, images: Tensor) -> Tensor:
        parts = torch.split(images, _JUDGED_AT_ONCE)
        return torch.cat([self._statistics(_scaled(part).to(self._device)).cpu() for part in parts])

    def _drawn(self) -> Tensor:
        """Return the next pictures, uint8 (batch, 3, 64, 64); each comes once before any comes again."""
        batch = min(self._recipe.batch, len(self._parts.learned))
        while len(self._order) < batch:
            shuffled = torch.randperm(len(self._parts.learned), generator=self._random)
            self._order = torch.cat([self._order, self._parts.learned[shuffled]])
        chosen, self._order = self._order[:batch], self._order[batch:]
        return self._pictures.images[chosen]

    def _together(self, embeddings: Tensor) -> Tensor:
        """Return NT-Xent of (2 * count, dim), of which rows i and i + count are views of one picture.

        It is the supervised contrastive loss with one other view for each (Khosla et al. 2020), which is computed
        without the table of all pairs of pairs that `nt-xent` makes.
        """
        loss: Tensor = self._alike(embeddings, torch.arange(len(embeddings) // 2, device=embeddings.device).repeat(2))
        return loss

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


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def contrast_head(dim: int) -> nn.Module:
    return nn.Sequential(nn.Linear(dim, 256), nn.ReLU(), nn.Linear(256, 128))


def initialise(layer: nn.Module) -> None:
    """As in Radford et al."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
