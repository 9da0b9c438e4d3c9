"""From vectors and a recipe to a fitted code."""

import numpy as np
import torch
from torch import Tensor

from shared.codes.codewords import nearest
from shared.codes.fitted_file import EncoderIdentity, FittedCode, Floats
from shared.codes.fitting.clip import best_clip
from shared.codes.fitting.kmeans import ITERATIONS, kmeans
from shared.codes.fitting.principal import principal_components, projection
from shared.codes.fitting.progress import OnStep, untold
from shared.codes.fitting.rotations import binary_rotation, optimized_rotation
from shared.codes.projection import project
from shared.codes.recipe import WORDS, Recipe

MOST_ROWS = 256 * WORDS
"""Vectors that are learned from: more change the codewords by little, and take longer."""
_ROTATED_ROWS = 64 * WORDS
_CLIPPED_ROWS = 4096
_LAST_ITERATIONS = 10
"""For codewords that were moved with the rotation."""


def fit(
    vectors: Tensor,
    recipe: Recipe,
    *,
    encoder: EncoderIdentity | None = None,
    seed: int = 0,
    on_step: OnStep = untold,
) -> FittedCode:
    """Learn what the recipe needs. Takes seconds to minutes.

    vectors: float32 (rows, dim), each of length 1, as the encoder gives them. Raises ValueError where there are too
    few, or the recipe does not go with their length.
    """
    dim = vectors.shape[1]
    coded = recipe.coded_dim(dim)
    recipe.check_rows(len(vectors))
    generator = torch.Generator().manual_seed(seed)
    if len(vectors) > MOST_ROWS:
        vectors = vectors[torch.randperm(len(vectors), generator=generator)[:MOST_ROWS].to(vectors.device)]
    mean, matrix = None, None
    if recipe.projection is not None:
        components = principal_components(vectors)
        on_step("principal components", 1, 1)
        mean, matrix = components.mean, projection(components, coded, whitened=recipe.projection == "whiten")
    elif recipe.element == "b1":
        mean = vectors.mean(dim=0)
    projected = project(vectors, mean, matrix)
    rotation, start = None, None
    if recipe.kind == "opq":
        rotation, start = optimized_rotation(projected[:_ROTATED_ROWS], recipe.words, generator, on_step)
    elif recipe.kind == "itq":
        rotation = binary_rotation(projected[:_ROTATED_ROWS], generator, on_step)
    if rotation is not None:
        matrix = rotation if matrix is None else rotation @ matrix
        projected = projected @ rotation.T
    return FittedCode(
        recipe=recipe,
        dim=dim,
        encoder=encoder,
        mean=_array(mean),
        matrix=_array(matrix),
        codewords=_array(_codewords(projected, recipe, generator, start, on_step)),
        clip=best_clip(projected[:_CLIPPED_ROWS]) if recipe.kind == "i8" else None,
    )


def _codewords(
    vectors: Tensor, recipe: Recipe, generator: torch.Generator, start: Tensor | None, on_step: OnStep
) -> Tensor | None:
    """start: where the codewords go on from."""
    if not recipe.words:
        return None
    if recipe.kind != "vq":
        by_part = vectors.view(len(vectors), recipe.words, -1).transpose(0, 1)
        iterations = ITERATIONS if start is None else _LAST_ITERATIONS
        return kmeans(by_part, WORDS, generator, iterations=iterations, start=start, what="codewords", on_step=on_step)
    levels = []
    for level in range(recipe.words):

        def on_level(what: str, done: int, of: int, level: int = level) -> None:
            on_step(what, level * of + done, recipe.words * of)

        words = kmeans(vectors[None], WORDS, generator, iterations=ITERATIONS, what="codewords", on_step=on_level)
        vectors = vectors - words[0][nearest(vectors[None], words)[0]]
        levels.append(words[0])
    return torch.stack(levels)


def _array(tensor: Tensor | None) -> Floats | None:
    return None if tensor is None else tensor.cpu().numpy().astype(np.float32)
