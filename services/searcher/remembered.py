"""The codes of the query images of the last while."""

import hashlib
from collections import OrderedDict

from prometheus_client import Counter

from shared.events.region import Region


class RememberedImages:
    """Those that were asked for last, up to a number of them. looked_up: counted by outcome, hit or miss."""

    def __init__(self, most: int, looked_up: Counter) -> None:
        self._most = most
        self._hits, self._misses = looked_up.labels("hit"), looked_up.labels("miss")
        self._codes: OrderedDict[tuple[bytes, Region | None], bytes] = OrderedDict()

    def get(self, data: bytes, region: Region | None) -> bytes | None:
        """Return the code of a part of an image, or of the whole, where it is known."""
        key = _key(data, region)
        if key not in self._codes:
            self._misses.inc()
            return None
        self._hits.inc()
        self._codes.move_to_end(key)
        return self._codes[key]

    def put(self, data: bytes, region: Region | None, code: bytes) -> None:
        self._codes[_key(data, region)] = code
        while len(self._codes) > self._most:
            self._codes.popitem(last=False)


def _key(data: bytes, region: Region | None) -> tuple[bytes, Region | None]:
    return hashlib.sha256(data).digest(), region
