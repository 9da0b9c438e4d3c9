"""Photos through the engine have the codes of their family, whatever the family sees and however it is named."""

import numpy as np
import pytest
import torch

from shared.codes.registry import load_code
from shared.encoders.registry import load_encoder
from shared.encoders.scheme import identity_of
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.encoders.fakes import engine_of
from tests.unit.encoders.photos import FILES


@pytest.mark.parametrize(
    "name",
    [
        "timm:test_resnet?pool=gem",
        "timm:test_resnet?pool=rmac&scales=1,0.7",
        "0.7*efficientnet_lite0+0.3*timm:test_resnet",
        "timm:test_vit",
        "timm:test_vit?layer=blocks.2&pool=avg",
    ],
)
async def test_a_photo_has_the_code_of_the_encoder_that_is_named(name: str) -> None:
    encoder = load_encoder(name, device="cpu", backend="torch", random_seed=1)
    photos = [file.read_bytes() for file in FILES[:4]]
    async with engine_of(encoder, load_code("f32", identity_of(encoder))) as engine:
        codes = [(await engine.extract(photo)).code for photo in photos]
    assert engine.scheme.encoder == name
    preprocessing = encoder.preprocessing
    pixels = [preprocessing.to_pixels(decode_rgb(each, ImageLimits(), preprocessing.decode_size)) for each in photos]
    expected = encoder.encode(torch.from_numpy(np.stack(pixels))).numpy()
    found = np.frombuffer(b"".join(codes), np.float32).reshape(len(photos), encoder.dim)
    assert np.allclose(found, expected, atol=1e-5)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert not np.allclose(found[0], found[1], atol=1e-4)
