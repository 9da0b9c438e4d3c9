"""Fitted codes lose as little as those of the libraries that one would hold them against, on pictures of digits."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances_argmin_min

from shared.codes.codewords import nearest, reconstructed
from shared.codes.fitted import fitted_code
from shared.codes.fitted_file import FittedCode
from shared.codes.fitting.clip import best_clip
from shared.codes.fitting.fit import fit
from shared.codes.fitting.kmeans import kmeans
from shared.codes.fitting.loss import Loss, loss_of
from shared.codes.fitting.principal import principal_components, projection
from shared.codes.recipe import Recipe

RECIPES = ["f32", "f16", "i8", "b1", "itq", "pq8", "opq8", "vq4", "pca16,i8", "whiten32,itq", "pca32,opq8", "opq8+f16"]


@cache
def digits() -> torch.Tensor:
    """1,797 digits of 8 x 8, as unit vectors."""
    torch.set_num_threads(1)
    return torch.nn.functional.normalize(torch.from_numpy(load_digits().data.astype(np.float32)))


@cache
def fitted(recipe: str) -> FittedCode:
    return fit(digits(), Recipe.parse(recipe), seed=3)


def distortion(recipe: str) -> float:
    code = fitted(recipe)
    vectors = digits() if code.matrix is None else digits() @ torch.from_numpy(code.matrix).T
    assert code.codewords is not None
    codes = fitted_code(code, name=recipe).encode(digits())
    found = reconstructed(codes, torch.from_numpy(code.codewords), residual=code.recipe.kind == "vq")
    return float((found - vectors).square().sum(dim=1).mean())


def test_codewords_lose_no_more_than_those_of_faiss(tmp_path: Path) -> None:
    np.save(tmp_path / "digits.npy", digits().numpy())
    recipes = ["pq8", "opq8", "vq4"]
    program = [
        sys.executable,
        str(Path(__file__).with_name("reference_faiss.py")),
        str(tmp_path / "digits.npy"),
        *recipes,
    ]
    reference = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)
    worst = max(recipes, key=lambda recipe: distortion(recipe) / reference[recipe])
    assert distortion(worst) <= 1.03 * reference[worst]


def test_a_rotation_makes_codewords_lose_less() -> None:
    assert distortion("opq8") < 0.97 * distortion("pq8")


def test_principal_components_are_those_of_scikit_learn() -> None:
    found = principal_components(digits())
    reference = PCA(n_components=16).fit(digits().numpy())
    assert np.allclose(found.variances[:16], reference.explained_variance_, rtol=1e-4)
    cosines = np.abs((found.axes[:16].numpy() * reference.components_).sum(axis=1))
    assert np.allclose(cosines, 1, atol=1e-3)


def test_whitened_components_have_a_variance_of_one() -> None:
    found = principal_components(digits())
    whitened = (digits() - found.mean) @ projection(found, 16, whitened=True).T
    assert torch.allclose(whitened.var(dim=0), torch.ones(16), atol=1e-3)


def test_clusters_are_as_tight_as_those_of_scikit_learn() -> None:
    points = digits()[None]
    centres = kmeans(points, 64, torch.Generator().manual_seed(1))
    inertia = float((points[0] - centres[0][nearest(points, centres)[0]]).square().sum())
    reference = KMeans(64, n_init=1, max_iter=25, init="random", random_state=1).fit(points[0].numpy())
    assert inertia <= 1.03 * reference.inertia_


def test_clusters_whose_points_stay_are_not_looked_for_any_longer() -> None:
    points = torch.cat([torch.randn(50, 4), torch.randn(50, 4) + 100])[None]
    told: list[tuple[int, int]] = []
    centres = kmeans(
        points, 2, torch.Generator(), start=points[:, [0, 99]], on_step=lambda _, done, of: told.append((done, of))
    )
    assert told == [(1, 25), (25, 25)]
    assert torch.allclose(centres[0], torch.stack([points[0, :50].mean(dim=0), points[0, 50:].mean(dim=0)]))


def test_a_cluster_that_lost_its_points_takes_half_of_the_largest() -> None:
    points = torch.cat([torch.zeros(50, 1), torch.arange(70.0)[:, None] + 100])[None]
    far = torch.tensor([[[-1.0], [1.0], [9999.0]]])
    centres = kmeans(points, 3, torch.Generator(), start=far)
    assert sorted(centres.flatten().tolist()) == pytest.approx([0, 117, 152], abs=3)


def test_the_steps_of_a_byte_are_as_fine_as_its_range_allows() -> None:
    vectors = torch.randn(4_000, 32, generator=torch.Generator().manual_seed(1))
    vectors[0, 0] = 20.0
    assert 4 < best_clip(vectors) < 15


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_code_has_its_promised_length_and_does_not_depend_on_its_company(recipe: str) -> None:
    code = fitted_code(fitted(recipe), name=recipe)
    together = code.encode(digits()[:40])
    alone = torch.cat([code.encode(digits()[number : number + 1]) for number in range(40)])
    if together.dtype.is_floating_point:
        assert torch.allclose(together.float(), alone.float(), atol=1e-3)
    else:
        assert (together.int() - alone.int() != 0).float().mean() < 0.01  # where rounding decides
    assert {row.numpy().tobytes().__len__() for row in together} == {code.bytes_per_vector(64)}
    assert (code.dtype, code.metric) == (Recipe.parse(recipe).element, Recipe.parse(recipe).metric)


@pytest.mark.parametrize("recipe", ["itq", "opq8", "vq4"])
def test_the_same_seed_gives_the_same_code(recipe: str) -> None:
    again = fit(digits(), Recipe.parse(recipe), seed=3)
    for name in ("mean", "matrix", "codewords"):
        one, other = getattr(again, name), getattr(fitted(recipe), name)
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)


def test_signs_are_packed_as_numpy_packs_them() -> None:
    code = fitted("b1")
    assert code.mean is not None
    packed = fitted_code(code, name="b1").encode(digits()[:5]).numpy()
    assert np.array_equal(packed, np.packbits(digits()[:5].numpy() > code.mean, axis=1))


def test_a_fit_tells_how_far_it_is() -> None:
    told: dict[str, tuple[int, int]] = {}
    fit(digits(), Recipe.parse("pca32,opq8"), on_step=lambda what, done, of: told.update({what: (done, of)}))
    assert told.keys() == {"principal components", "rotation", "codewords"}
    assert all(done == of for done, of in told.values())


@pytest.mark.parametrize("recipe", ["f32", "f16", "pca16,i8", "pq8", "opq8", "vq4", "opq8+f16"])
def test_the_loss_of_a_code_is_what_its_bytes_do_not_tell(recipe: str) -> None:
    """The same figures from the stored codes, and from the components of scikit-learn."""
    code, found = fitted(recipe), loss_of(fitted(recipe), digits())
    assert found.distortion is not None
    assert found.variance_kept is not None
    kept = PCA(16).fit(digits().numpy()).explained_variance_ratio_.sum() if code.recipe.projection else 1.0
    if code.codewords is not None:
        assert found.distortion == pytest.approx(distortion(recipe.removesuffix("+f16")), rel=1e-3)
        variance = float((digits() - digits().mean(dim=0)).square().sum(dim=1).mean())
        kept *= 1 - found.distortion / variance
    assert found.variance_kept == pytest.approx(kept, abs=2e-3)


def test_signs_stand_for_no_vector() -> None:
    assert loss_of(fitted("itq"), digits()) == Loss(distortion=None, variance_kept=None)


@pytest.mark.parametrize(
    ("groups", "rows", "length", "count"), [(40, 3_000, 4, 256), (1, 5_000, 64, 256), (3, 7, 2, 3)]
)
def test_the_nearest_centre_is_that_of_scikit_learn(groups: int, rows: int, length: int, count: int) -> None:
    """But for centres that are about as near, whose distances differ by less than a thousandth."""
    generator = torch.Generator().manual_seed(2)
    points, centres = (torch.randn(groups, many, length, generator=generator) for many in (rows, count))
    found = nearest(points, centres)
    for some, these, chosen in zip(points.numpy(), centres.numpy(), found, strict=True):
        least = pairwise_distances_argmin_min(some, these)[1]
        distance = np.linalg.norm(some - these[chosen.numpy()], axis=1)
        assert np.allclose(distance, least, rtol=1e-3, atol=1e-3)


def test_too_few_vectors_are_refused() -> None:
    with pytest.raises(
        ValueError, match="256 codewords need at least as many vectors to be fitted to, and there are 9"
    ):
        fit(digits()[:9], Recipe.parse("pq8"))
    with pytest.raises(ValueError, match="32 principal components need as many vectors, and there are 9"):
        fit(digits()[:9], Recipe.parse("pca32,i8"))
