import numpy as np
import pytest
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.color import to_rgb
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.imaging.pictures import RED, WHITE, corners, distance, encoded, quarters

LIMITS = ImageLimits()


def test_cmyk_comes_out_as_the_colours_that_were_printed() -> None:
    decoded = decode_rgb(encoded(quarters().convert("CMYK"), "JPEG", quality=95), LIMITS)
    assert decoded.mode == "RGB"
    assert distance(decoded, quarters()) < 3


def test_sixteen_bit_grey_is_scaled_and_not_cut_off() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    decoded = decode_rgb(encoded(Image.fromarray(ramp), "PNG"), LIMITS)
    assert np.array_equal(np.asarray(decoded)[:, :, 0], ramp >> 8)


def test_alpha_is_drawn_over_white() -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 0, 64, 32))
    assert corners(decode_rgb(encoded(image, "PNG"), LIMITS))[:2] == [RED, WHITE]


def test_half_transparent_black_over_white_is_grey() -> None:
    decoded = decode_rgb(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "WEBP", lossless=True), LIMITS)
    assert decoded.getpixel((4, 4)) == (127, 127, 127)


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_the_transparent_entry_of_a_palette_is_white(file_format: str) -> None:
    image = quarters().quantize(4, dither=Image.Dither.NONE)
    transparent = image.getpixel((48, 16))
    decoded = decode_rgb(encoded(image, file_format, transparency=transparent), LIMITS)
    assert corners(decoded)[:2] == [RED, WHITE]


def test_the_transparent_colour_of_an_rgb_png_is_white() -> None:
    decoded = decode_rgb(encoded(quarters(), "PNG", transparency=(0, 255, 0)), LIMITS)
    assert corners(decoded)[:2] == [RED, WHITE]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I"])
def test_every_common_way_to_store_colour_ends_in_rgb(mode: str) -> None:
    assert to_rgb(Image.new(mode, (4, 4))).mode == "RGB"


def test_floating_point_samples_are_unsupported_because_their_range_is_unknown() -> None:
    with pytest.raises(PoisonInput) as caught:
        decode_rgb(encoded(Image.new("F", (4, 4)), "TIFF"), LIMITS)
    assert caught.value.reason is RejectReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "CMYK", "I;16"])
def test_a_large_image_is_converted_in_strips_that_do_not_show(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = Image.linear_gradient("L").convert("RGBA")
    gradient.putalpha(Image.radial_gradient("L"))
    image = gradient.convert("L").convert("I;16") if mode == "I;16" else gradient.convert(mode)
    whole = to_rgb(image)
    monkeypatch.setattr("shared.imaging.color._STRIP_PIXELS", 7 * image.width)
    assert to_rgb(image).tobytes() == whole.tobytes()
