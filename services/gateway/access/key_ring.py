"""The keys that are good now: a file, read again whenever it changes."""

import asyncio
from pathlib import Path

from shared.access.key_file import BadKeyFile, NoKeyFile, read_keys
from shared.access.keys import ApiKey, digest_of
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_LOOK_EVERY_S = 1.0


class KeyRing:
    """Raises BadKeyFile where the file cannot be read at first.

    Later, a file that cannot be read leaves the keys that were good: somebody is about to mend it. One that is gone
    leaves none: whoever removes it means to lock everybody out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = _state(path)
        self._keys = _by_digest(path)

    def find(self, secret: str) -> ApiKey | None:
        """By its digest, so that the time that it takes tells nothing of the keys that there are."""
        return self._keys.get(digest_of(secret))

    def holds(self, key: ApiKey) -> bool:
        """Whether a key that was found is still there, and good for the same."""
        return self._keys.get(key.digest) == key

    async def run(self) -> None:
        """Follow the file until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the file again if it is another one."""
        state = _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._keys = _by_digest(self._path)
        except NoKeyFile as error:
            self._keys = {}
            log.error("keys_gone", error=str(error), hint="nobody is let in until there is a file again")  # noqa: TRY400 - it is said
        except BadKeyFile as error:
            log.error("keys_not_read", error=str(error), hint="those read before stay good")  # noqa: TRY400 - it is said
        else:
            log.info("keys_read", keys=len(self._keys))


def _by_digest(path: Path) -> dict[str, ApiKey]:
    return {key.digest: key for key in read_keys(path)}


def _state(path: Path) -> tuple[int, int, int] | None:
    """Differs where the content may; a change of who may read it, too."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ctime_ns, status.st_size, status.st_ino
