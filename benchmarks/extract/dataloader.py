"""Peer: timm's model and torch's DataLoader, from files to vectors, as one would embed a folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from benchmarks.bare import BATCH
from benchmarks.clock import Lap
from benchmarks.extract.embedding import EmbeddingModel
from shared.encoders.backends.backend import Backend


class _Files(Dataset[Tensor]):
    """Its keys are the files themselves."""

    def __init__(self, model: EmbeddingModel) -> None:
        self._load = model.load

    def __getitem__(self, file: Path) -> Tensor:
        return self._load(file)


class _Order(Sampler[Path]):
    """The files of this run, so that the workers of the loader live on from one run to the next."""

    files: Sequence[Path] = ()

    def __iter__(self) -> Iterator[Path]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class _Loading:
    """A Work. It has as many loading processes as threads."""

    def __init__(self, threads: int, backend: Backend | None) -> None:
        model = EmbeddingModel(threads, backend)
        self._embed = model.embed
        self._order = _Order()
        self._loader = DataLoader(
            _Files(model), batch_size=BATCH, sampler=self._order, num_workers=threads, persistent_workers=True
        )

    def seconds(self, files: Sequence[Path]) -> float:
        self._order.files = files
        with Lap() as lap:
            vectors = torch.cat([self._embed(batch) for batch in self._loader])
        assert len(vectors) == len(files)
        return lap.ms / 1000


class TorchDataLoader(_Loading):
    """Eager torch."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, "torch")


class SameBackendDataLoader(_Loading):
    """With the extractor's own backend: what is left is the DataLoader against Kafka."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, None)
