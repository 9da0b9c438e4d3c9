"""What every kind of source has in common."""

from typing import Protocol

from shared.imaging.budget import Room


class Source(Protocol):
    """Reads references of one kind. It tries once; the fetcher above it repeats and keeps the time."""

    async def read(self, uri: str, room: Room) -> bytes:
        """Return the bytes behind the reference, having claimed room for them as they come.

        Raises PoisonInput where another attempt would end the same way, TransientFault where it
        may not, and of those NoRoom where there was none. Must stop reading at the size limit,
        whatever the source announced.
        """

    async def aclose(self) -> None:
        """Release the connections. May be called when nothing was read, and twice."""


def shown(uri: str) -> str:
    """Return a reference as it may stand in logs and dead letters: short, and without its secrets.

    Credentials before the host and the query (where signed links keep their signature) are left out.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return repr(uri[:200])
    authority, slash, path = rest.partition("/")
    visible = authority.rpartition("@")[2] + slash + path
    return repr(f"{scheme}://{visible.partition('?')[0]}"[:200])
