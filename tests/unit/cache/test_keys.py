import hashlib

import pytest

from shared.cache.keys import ImageKeys

LARGE = bytes(1024 * 1024)


@pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
async def test_a_key_is_the_hash_of_the_scheme_and_the_image(data: bytes) -> None:
    assert await ImageKeys("f00d").of(data) == hashlib.sha256(b"f00d" + data).digest()


async def test_the_same_image_has_another_key_under_another_scheme() -> None:
    assert await ImageKeys("f00d").of(b"image") != await ImageKeys("beef").of(b"image")


async def test_a_key_depends_on_no_image_before() -> None:
    keys = ImageKeys("f00d")
    first = await keys.of(b"image")
    await keys.of(b"another")
    assert await keys.of(b"image") == first
