"""From images on this machine to a fitted code and what it loses.

Importing this takes seconds, since it brings torch.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from services.cli.embedding import EmbedSettings, Failed, embedder
from services.cli.failures import Failure, Status
from services.cli.pictures import Picture
from shared.codes.description import describe_code
from shared.codes.fitted_file import EncoderIdentity, pack
from shared.codes.fitting.fit import fit
from shared.codes.fitting.loss import Loss, loss_of
from shared.codes.fitting.progress import OnStep
from shared.codes.projection import project
from shared.codes.recipe import Recipe
from shared.evaluation.coding import coded
from shared.index.ranking import rank_codes

_HELD_OUT = 4
"""Every fourth image tells the loss, and is not learned from."""
_MOST_QUERIES = 500
_K = 10

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """values: float32 (images, dim), of the encoder; None where it is not known."""

    values: Floats
    encoder: EncoderIdentity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a code is, and what it loses on the vectors held out.

    recall_at_10: how many of the ten nearest by float32 are among the ten nearest by the code, by `queries`.
    """

    name: str
    dim: int
    code_bytes: int
    recall_at_10: float
    queries: int
    loss: Loss


def check_fit(recipe: Recipe, *, vectors: int, dim: int) -> None:
    """Raise Failure where so many vectors of that length, every fourth held out, cannot be fitted to."""
    try:
        recipe.coded_dim(dim)
        recipe.check_rows(_learned_from(vectors))
    except ValueError as error:
        every = "" if vectors < 2 else f"; of {vectors}, every fourth is held out to tell the loss"
        raise Failure(f"{recipe} cannot be fitted: {error}{every}", Status.MISUSED) from error


def _learned_from(vectors: int) -> int:
    return vectors - -(-vectors // _HELD_OUT)


async def embedded(
    settings: EmbedSettings,
    pictures: Iterable[Picture],
    count: int,
    recipe: Recipe,
    *,
    on_vector: Callable[[], None],
    failed: Failed,
) -> Embedded:
    """Encode `count` pictures, when the encoder's dimension is known to go with the recipe.

    Raises Failure where it does not, BadSettings, and TransientFault when a decoder does not start.
    """
    found: list[Floats] = []

    def write(_name: str, vector: npt.NDArray[np.generic]) -> None:
        found.append(vector.astype(np.float32))
        on_vector()

    async with embedder(settings) as with_engine:
        check_fit(recipe, vectors=count, dim=with_engine.engine.scheme.dim)
        await with_engine.embed(islice(pictures, count), write, failed)
        return Embedded(values=np.array(found), encoder=with_engine.engine.encoder)


def read_vectors(path: Path, most: int) -> Embedded:
    """Read up to `most` vectors of a .npy file, and scale each to length 1, as encoders do. Raises Failure."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Failure(f"{path} cannot be read as vectors in a .npy file: {error}", Status.MISUSED) from error
    if array.ndim != 2 or array.dtype.kind != "f":
        raise Failure(
            f"{path} must hold floating-point numbers, one vector a row, and holds {array.dtype} {array.shape}: "
            "`afterimage embed --code f32` writes such files",
            Status.MISUSED,
        )
    values = np.array(array[:most], np.float32)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise Failure(f"{path} holds a number in row {row} that is not finite", Status.MISUSED)
    return Embedded(values=project(torch.from_numpy(values), None, None).numpy(), encoder=None)


def fit_and_measure(embedded: Embedded, recipe: Recipe, target: Path, *, seed: int, on_step: OnStep) -> Fitted:
    """Write the file of a code, and return what it loses on the images held out. Raises Failure."""
    held_out = np.arange(len(embedded.values)) % _HELD_OUT == 0
    others = torch.from_numpy(embedded.values[~held_out])
    try:
        fitted = fit(others, recipe, encoder=embedded.encoder, seed=seed, on_step=on_step)
        target.write_bytes(pack(fitted))
    except ValueError as error:
        raise Failure(f"{recipe} cannot be fitted to these images: {error}") from error
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error}") from error
    vectors = embedded.values[held_out]
    return Fitted(
        name=describe_code(str(target)).name,
        dim=fitted.dim,
        code_bytes=recipe.bytes_per_vector(fitted.dim),
        recall_at_10=recall_of(str(target), vectors),
        queries=min(_MOST_QUERIES, len(vectors)),
        loss=loss_of(fitted, torch.from_numpy(vectors)),
    )


def recall_of(setting: str, vectors: Floats) -> float:
    """Tell how many of the ten nearest others of each vector are found by their codes, as the index compares them."""
    exact, found = (_nearest(code, vectors) for code in ("f32", setting))
    pairs = zip(exact, found, strict=True)
    return float(np.mean([len(set(one) & set(other)) / max(1, len(one)) for one, other in pairs]))


def _nearest(setting: str, vectors: Floats) -> list[list[int]]:
    stored = coded(setting, vectors)
    queries = stored.queries[:_MOST_QUERIES]
    rankings = rank_codes(stored.codes, queries, _K + 1, stored.vector_format, np.ones(len(vectors), np.bool_))
    return [[row for row in ranking.rows.tolist() if row != number][:_K] for number, ranking in enumerate(rankings)]
