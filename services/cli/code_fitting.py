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
from services.cli.failures import Failure
from services.cli.pictures import Picture
from shared.codes.description import describe_code
from shared.codes.fitted_file import EncoderIdentity, pack
from shared.codes.fitting.fit import fit
from shared.codes.fitting.progress import OnStep
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
    """values: float32 (images, dim), of the encoder."""

    values: Floats
    encoder: EncoderIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """recall_at_10: how many of the ten nearest by float32 are among the ten nearest by the code, by `queries`."""

    name: str
    dim: int
    code_bytes: int
    recall_at_10: float
    queries: int


async def embedded(
    settings: EmbedSettings, pictures: Iterable[Picture], most: int, *, on_vector: Callable[[], None], failed: Failed
) -> Embedded:
    """Encode as many pictures as `most`. Raises BadSettings, and TransientFault when a decoder does not start."""
    found: list[Floats] = []

    def write(_name: str, vector: npt.NDArray[np.generic]) -> None:
        found.append(vector.astype(np.float32))
        on_vector()

    async with embedder(settings) as with_engine:
        await with_engine.embed(islice(pictures, most), write, failed)
        return Embedded(values=np.array(found), encoder=with_engine.engine.encoder)


def fit_and_measure(embedded: Embedded, recipe: Recipe, target: Path, *, seed: int, on_step: OnStep) -> Fitted:
    """Write the file of a code, and return what it loses on the images held out. Raises Failure."""
    held_out = np.arange(len(embedded.values)) % _HELD_OUT == 0
    others = torch.from_numpy(embedded.values[~held_out])
    if not len(others):
        raise Failure("there is no image to learn from")
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
