import subprocess
import sys
from dataclasses import replace

import pytest

from shared.codes.i8 import I8
from shared.encoders.encoder import Encoder
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.scheme import Scheme

SCHEME = Scheme(
    encoder="efficientnet_lite0",
    weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    preprocessing=Preprocessing(
        crop=224, resize=256, interpolation="bicubic", mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)
    ),
    precision="exact",
    code="i8",
    dim=1280,
)


def test_the_fingerprint_of_the_default_scheme_never_changes() -> None:
    """Indexes that exist carry it: if this fails, they would all have to be built again."""
    assert SCHEME.fingerprint == "i8:3a7bf86b666e68c5"


def test_the_default_encoder_has_that_scheme(encoder: Encoder) -> None:
    found = replace(
        SCHEME,
        encoder=encoder.name,
        weights_sha256=encoder.weights_sha256,
        preprocessing=encoder.preprocessing,
        precision=encoder.precision,
        code=I8.name,
        dim=encoder.dim,
    )
    assert found == SCHEME


@pytest.mark.parametrize(
    "other",
    [
        replace(SCHEME, encoder="timm:tf_efficientnet_lite0"),
        replace(SCHEME, weights_sha256="0" * 64),
        replace(SCHEME, precision="fast"),
        replace(SCHEME, code="f32"),
        replace(SCHEME, dim=1281),
        *(
            replace(SCHEME, preprocessing=replace(SCHEME.preprocessing, **change))
            for change in (
                {"crop": 225},
                {"resize": 257},
                {"interpolation": "bilinear"},
                {"mean": (127.0, 127.0, 127.5)},
                {"std": (128.0, 127.5, 128.0)},
                {"revision": 3},
            )
        ),
    ],
    ids=lambda other: next(str(value) for value in (other.preprocessing, other) if value != SCHEME.preprocessing),
)
def test_each_part_changes_the_fingerprint(other: Scheme) -> None:
    assert other.fingerprint != SCHEME.fingerprint


def test_the_scheme_is_known_without_torch() -> None:
    check = "import sys, shared.encoders.scheme; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
