"""`afterimage fit-code`, and the file that it makes, as people use them: there is no broker."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.cli.embedding import EmbedSettings
from shared.codes.fitted_file import pack, read_fitted
from shared.codes.registry import load_code
from shared.encoders.cnn.efficientnet_lite import PACKAGED_SHA256
from shared.encoders.engine.opening import load_models
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import BadSettings, load
from tests.harness.command_line import afterimage
from tests.harness.service import PHOTOS

ANIMALS = sorted((PHOTOS / "animal").glob("*.webp"))
PANDA = PHOTOS / "animal" / "panda.webp"


def run(arguments: Sequence[str | Path], *, status: int) -> tuple[str, str]:
    """What a command that ends with the status given says on its standard output and on its error output."""
    environment = {"KAFKA_BOOTSTRAP_SERVERS": "none", "AFTERIMAGE_BACKEND": "torch", "AFTERIMAGE_THREADS": "1"}
    done = afterimage(arguments, environment)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A code of 12 components, made from the photos and one file that is broken; and what was said."""
    folder = tmp_path_factory.mktemp("codes")
    broken = folder / "broken.jpg"
    broken.write_bytes(PANDA.read_bytes()[:2000])
    target = folder / "code.safetensors"
    return target, *run(["fit-code", PHOTOS, broken, "--code", "pca12,i8", "--out", target], status=3)


def test_the_file_tells_its_recipe_and_the_encoder_that_it_belongs_to(fitted: tuple[Path, str, str]) -> None:
    code, _ = read_fitted(fitted[0])
    assert (str(code.recipe), code.dim) == ("pca12,i8", 1280)
    assert code.encoder is not None
    assert (code.encoder.name, code.encoder.weights_sha256) == ("efficientnet_lite0", PACKAGED_SHA256)


def test_a_fit_says_what_it_costs_and_loses_and_which_image_was_no_use(fitted: tuple[Path, str, str]) -> None:
    target, table, said = fitted
    assert "broken.jpg: decode_failed: " in said
    [_, yardstick, code, *_] = table.splitlines()
    assert yardstick.split() == ["f32", "5120", "1.000", "0.0000", "1.000"]
    name, code_bytes, recall, error, kept = code.split()
    assert (name, code_bytes) == (load_code(str(target)).name, "12")
    by_chance = 10 / 13  # of the 14 photos held out, the others
    assert by_chance < float(recall) <= 1
    assert 0 < float(error) < 0.001  # of a byte a dimension
    assert 0.05 < float(kept) < 0.9  # 12 components of 1,280, learned from 40 other photos


def test_a_code_is_fitted_to_vectors_from_a_file(tmp_path: Path) -> None:
    """Those of `embed`, and then of the same length and as many as one likes, of which the file is told nothing."""
    embedded, target = tmp_path / "vectors.npy", tmp_path / "code.safetensors"
    run(["embed", PHOTOS, "--code", "f32", "--out", embedded], status=0)
    table, _ = run(["fit-code", "--vectors", embedded, "--code", "pca12,itq", "--out", target], status=0)
    code, _ = read_fitted(target)
    assert (str(code.recipe), code.dim, code.encoder) == ("pca12,itq", 1280, None)
    assert table.splitlines()[2].split()[-2:] == ["-", "-"]  # signs stand for no vector


def test_images_are_embedded_by_the_code_of_a_file(fitted: tuple[Path, str, str], tmp_path: Path) -> None:
    target = tmp_path / "codes.npy"
    run(["embed", *ANIMALS, "--code", fitted[0], "--out", target], status=0)
    encoder, code = load_models(settings(fitted[0]))
    preprocessing = encoder.preprocessing
    images = [decode_rgb(animal.read_bytes(), ImageLimits(), preprocessing.decode_size) for animal in ANIMALS]
    pixels = np.stack([preprocessing.to_pixels(image) for image in images])
    expected = code.encode(encoder.encode(torch.from_numpy(pixels))).numpy()
    found = np.load(target)
    assert (found.dtype, found.shape) == (np.int8, (len(ANIMALS), 12))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_code_of_another_encoder_is_refused(fitted: tuple[Path, str, str], tmp_path: Path) -> None:
    code, _ = read_fitted(fitted[0])
    assert code.encoder is not None
    other = tmp_path / "other.safetensors"
    other.write_bytes(pack(replace(code, encoder=replace(code.encoder, weights_sha256="0" * 64))))
    sentence = f"was fitted to weights with the SHA-256 {'0' * 64}, and this is {PACKAGED_SHA256}"
    with pytest.raises(BadSettings, match=sentence):
        load_models(settings(other))


def settings(code: Path) -> EmbedSettings:
    given = {"AFTERIMAGE_CODE": str(code), "AFTERIMAGE_BACKEND": "torch", "AFTERIMAGE_THREADS": "1"}
    return load(EmbedSettings, given)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/nowhere", "--code", "i8", "--out", "code.safetensors"], "there is nothing at '/nowhere'"),
        ([PANDA, "--code", "pq5,itq", "--out", "code.safetensors"], "'pq5,itq'; write [pcaD,|whitenD,] and one of f32"),
        ([PHOTOS, "--code", "pq80", "--out", "code.safetensors"], "256 codewords need at least as many vectors"),
        ([PHOTOS, "--code", "pq7", "--out", "code.safetensors"], "pq7 cuts 1280 numbers into 7 parts"),
        ([PANDA, "--code", "i8", "--out", "code.safetensors"], "there is no vector to be fitted to"),
        (["--code", "i8", "--out", "code.safetensors"], "give either images or --vectors FILE.npy"),
        (["--vectors", PANDA, "--code", "i8", "--out", "code.safetensors"], "cannot be read as vectors in a .npy file"),
        ([PANDA, "--code", "i8", "--out", "code.npy"], "the file must be named FILE.safetensors, and not 'code.npy'"),
    ],
)
def test_a_misused_fit_says_what_is_wrong_and_ends_with_two(arguments: list[str | Path], sentence: str) -> None:
    _, said = run(["fit-code", *arguments], status=2)
    assert sentence in " ".join(said.split())
    assert "embedding ━" not in said or " 0/" in said  # found out before any image was encoded
