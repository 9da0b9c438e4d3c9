"""Links to thumbnails: whoever was shown a hit may see its picture, and nobody can name another."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable

_MAC_BYTES = 16
_TIME_BYTES = 8
_GOOD_FOR_S = 3600
"""At least, and twice as long at most: a link stays the same meanwhile, for caches of browsers to find it again."""


class Links:
    """A link holds the address of the picture, when it ends, and a MAC of both. No key is needed to follow it.

    So `<img>` can follow it, which sends none. secret: 16 bytes or more; gateways that have the same take each other's
    links. clock: Unix seconds.
    """

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock

    def to(self, uri: str) -> str:
        """The path of the picture's thumbnail."""
        ends_at = (int(self._clock()) // _GOOD_FOR_S + 2) * _GOOD_FOR_S
        said = ends_at.to_bytes(_TIME_BYTES, "big") + uri.encode("utf-8", "surrogatepass")
        token = base64.urlsafe_b64encode(self._mac(said) + said).rstrip(b"=").decode()
        return f"/thumbnails/{token}"

    def uri(self, token: str) -> str | None:
        """The address that a link is to; None for one that was not made here, or has ended."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (ValueError, binascii.Error):
            return None
        mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        if int.from_bytes(said[:_TIME_BYTES], "big") <= self._clock():
            return None
        return said[_TIME_BYTES:].decode("utf-8", "surrogatepass")

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._secret, said, hashlib.sha256)[:_MAC_BYTES]
