"""A fitted code is kept in a file, and is used for the encoder that it was fitted to, and for no other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.codes.description import describe_code
from shared.codes.fitted_file import EncoderIdentity, FittedCode, pack, read_fitted
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.codes.registry import load_code

ENCODER = EncoderIdentity(
    name="net", weights_sha256="ab" * 32, precision="exact", preprocessing={"crop": 224, "std": [1]}
)


@pytest.fixture(scope="module")
def fitted() -> FittedCode:
    vectors = torch.nn.functional.normalize(torch.randn(300, 16, generator=torch.Generator().manual_seed(2)))
    return fit(vectors, Recipe.parse("pca8,opq4"), encoder=ENCODER)


@pytest.fixture
def file(fitted: FittedCode, tmp_path: Path) -> Path:
    path = tmp_path / "code.safetensors"
    path.write_bytes(pack(fitted))
    return path


def test_what_was_written_is_read(fitted: FittedCode, file: Path) -> None:
    found, sha256 = read_fitted(file)
    assert (found.recipe, found.dim, found.encoder) == (fitted.recipe, 16, ENCODER)
    for name in ("mean", "matrix", "codewords"):
        assert np.array_equal(getattr(found, name), getattr(fitted, name))
    assert pack(found) == file.read_bytes()
    assert load_code(str(file), ENCODER).name == f"pca8,opq4@{sha256[:16]}"


def test_the_index_learns_what_to_compare(fitted: FittedCode, file: Path) -> None:
    described = describe_code(str(file))
    assert (described.element, described.metric, described.residual) == ("pq", "cos", False)
    assert described.bytes_per_vector(16) == 4
    assert np.array_equal(described.codewords, fitted.codewords)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(ENCODER, name="another"), "fitted to the encoder net, and this is another"),
        (replace(ENCODER, weights_sha256="cd" * 32), "fitted to weights with the SHA-256 abab"),
        (replace(ENCODER, preprocessing={"crop": 240, "std": [1]}), "fitted to the preprocessing"),
        (replace(ENCODER, precision="fast"), "fitted to the precision exact, and this is fast"),
    ],
)
def test_a_code_is_refused_to_another_encoder(file: Path, other: EncoderIdentity, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_code(str(file), other)


def test_vectors_of_another_length_are_refused(file: Path) -> None:
    with pytest.raises(ValueError, match="fitted to vectors of 16 numbers, and the encoder gives 17"):
        load_code(str(file), ENCODER).bytes_per_vector(17)


@pytest.mark.parametrize("damage", [b"", b"no safetensors at all", "cut", "foreign"])
def test_a_damaged_or_foreign_file_is_refused_by_its_name(file: Path, damage: bytes | str) -> None:
    content = file.read_bytes()
    if damage == "foreign":
        content = content.replace(b"afterimage", b"beforeimag")
    else:
        content = content[: len(content) // 2] if damage == "cut" else bytes(damage)  # type: ignore[arg-type]
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"the file {file} holds no code that `afterimage fit-code` has made"):
        describe_code(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the code .*none\.safetensors cannot be read"):
        load_code(str(tmp_path / "none.safetensors"))


@pytest.mark.parametrize("recipe", ["pq", "pca,i8", "i8+f16", "pca0,i8", "rot8,pq4", "pq8,pca4", ""])
def test_what_is_no_recipe_is_answered_with_the_form_of_one(recipe: str) -> None:
    with pytest.raises(ValueError, match="code"):
        Recipe.parse(recipe)


@pytest.mark.parametrize("recipe", ["f32", "i8", "pca256,itq", "opq80", "pca320,opq40+f16", "whiten64,f16", "vq16"])
def test_a_recipe_is_written_as_it_is_read(recipe: str) -> None:
    assert str(Recipe.parse(recipe)) == recipe


def test_parts_that_do_not_go_are_answered_with_a_number_that_does() -> None:
    with pytest.raises(ValueError, match="cuts 1280 numbers into 300 parts, which does not go: 320 would do"):
        Recipe.parse("pq300").coded_dim(1280)
