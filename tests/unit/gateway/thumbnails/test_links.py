"""A link shows one picture, to whoever was given it, for a while."""

import pytest

from services.gateway.thumbnails.links import Links


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def token(links: Links, uri: str) -> str:
    return links.to(uri).removeprefix("/thumbnails/")


@pytest.mark.parametrize("uri", ["s3://shop/a.jpg", "https://example.org/ä?b=1&c", "file:///" + "x" * 8_000])
def test_a_link_leads_to_its_picture(uri: str) -> None:
    links = Links(b"s" * 16)
    assert links.uri(token(links, uri)) == uri


def test_a_link_stays_the_same_for_a_while_and_ends_within_two_hours() -> None:
    clock = Clock()
    links = Links(b"s" * 16, clock)
    first = token(links, "s3://shop/a.jpg")
    clock.now += 600
    assert token(links, "s3://shop/a.jpg") == first
    clock.now += 3000
    assert links.uri(first) == "s3://shop/a.jpg"
    clock.now += 3600
    assert links.uri(first) is None


def test_nobody_names_another_picture() -> None:
    links = Links(b"s" * 16)
    good = token(links, "s3://shop/a.jpg")
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        assert links.uri(good[:place] + other + good[place + 1 :]) in {None, "s3://shop/a.jpg"}
    for wrong in ("", "a", "=", "!!", good[:10], good + "AAAA", token(Links(b"t" * 16), "s3://shop/a.jpg")):
        assert links.uri(wrong) is None
