"""TCP ports of the loopback interface."""

import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now. Whoever needs it should bind it soon."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different free ports: all are held until the last one is known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set this too: without it, a port whose last owner just left would seem taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


class PortPicker:
    """The usual port where it is free, else another one; never the same port twice."""

    def __init__(self, *, on_taken: Callable[[str], None]) -> None:
        """on_taken: is told, in a sentence, where a usual port was not to be had."""
        self._on_taken = on_taken
        self._given: set[int] = set()

    def pick(self, usual: int, owner: str) -> int:
        port = usual
        while port in self._given or not is_free(port):
            port = free_port()
        if port != usual:
            self._on_taken(f"port {usual} is taken: {owner} uses port {port}")
        self._given.add(port)
        return port
