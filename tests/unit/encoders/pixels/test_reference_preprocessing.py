"""An image is prepared as torchvision's presets for published weights do it.

Of a square photo the pixels are the same, up to two levels of 256. Of another one, torchvision rounds the longer side
and the corner of the square to whole pixels, where the square here lies in the middle exactly: they differ by a shift
of less than a pixel.
"""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models import WeightsEnum
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from shared.encoders.cnn.torchvision_models import torchvision_backbone
from shared.encoders.encoder import Encoder
from shared.encoders.pixels.normalization import Normalization
from shared.encoders.pixels.preprocessing import Preprocessing
from tests.unit.encoders.photos import FILES


def square_of(photo: Image.Image) -> Image.Image:
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    return photo.crop((left, top, left + side, top + side))


@pytest.mark.parametrize("model", ["resnet18", "mobilenet_v2", "swin_t"])
def test_a_square_photo_becomes_what_the_preset_of_the_published_weights_makes_of_it(model: str) -> None:
    """Within two levels of 256. The three differ in size and interpolation."""
    published: WeightsEnum = torchvision.models.get_model_weights(model).DEFAULT
    with torch.device("meta"):
        preprocessing = torchvision_backbone(model, None).preprocessing
    preset, normalization = published.transforms(), Normalization(preprocessing)
    level = 1 / min(preprocessing.std)
    for file in FILES[::4]:
        with Image.open(file) as photo:
            square = square_of(photo.convert("RGB"))
        found = normalization(torch.from_numpy(preprocessing.to_pixels(square))[None])[0]
        assert (found - preset(square)).abs().max() < 2.01 * level


def test_features_of_a_photo_hardly_tell_the_two_apart(encoder: Encoder) -> None:
    """Cosines of the default encoder's vectors; seen over all photos: 0.9969 in the mean, and 0.9777 at least."""
    ours, theirs = [], []
    preset = reference(encoder.preprocessing)
    for file in FILES[::4]:
        with Image.open(file) as photo:
            rgb = photo.convert("RGB")
        ours.append(encoder.preprocessing.to_pixels(rgb))
        theirs.append((255 * preset(rgb)).round().to(torch.uint8))
    cosines = (encoder.encode(torch.from_numpy(np.stack(ours))) * encoder.encode(torch.stack(theirs))).sum(dim=1)
    assert cosines.mean() > 0.995
    assert cosines.min() > 0.97


def reference(preprocessing: Preprocessing) -> ImageClassification:
    """Torchvision's preset for the same sizes, without the normalisation."""
    return ImageClassification(
        crop_size=preprocessing.crop,
        resize_size=preprocessing.resize,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        interpolation=InterpolationMode(preprocessing.interpolation),
    )
