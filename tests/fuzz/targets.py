"""What is fuzzed: each takes any bytes at all, and lets nothing out."""

import warnings

from shared.events.faults import PoisonInput
from shared.events.uploads import read_upload_events
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

_LIMITS = ImageLimits(max_bytes=256 * 1024, max_pixels=1_000_000)
"""Small, so that a second is worth many inputs; what is above them is refused before a decoder sees it."""
_CLOUDEVENT = (("ce_specversion", b"1.0"), ("ce_type", b"images.uploaded"), ("ce_source", b"/fuzz"), ("ce_id", b"1"))
_CONTENT_TYPES = (b"application/json", b"image/png", b"application/cloudevents+json", b"")


def decode_image(data: bytes) -> None:
    """The guard and the decoder: the first byte says at which size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decode_rgb(data[1:], _LIMITS, size_hint=None if data[:1] < b"\x80" else 16)
        except PoisonInput:
            return


def read_upload(data: bytes) -> None:
    """The reader of upload events: the first byte chooses headers, and the next ones are the key."""
    choice, key, value = data[0] if data else 0, data[1:17], data[17:]
    headers = [("content-type", _CONTENT_TYPES[choice % 4])]
    if choice & 4:
        headers += _CLOUDEVENT
    if choice & 8:
        headers.append(("ce_time", value[:30]))
    try:
        read_upload_events(None if choice & 16 else key, None if choice & 32 else value, headers)
    except PoisonInput:
        return
