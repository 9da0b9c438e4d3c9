"""Free ports for tests: the stack's own way of finding them."""

from services.cli.stack.ports import LOOPBACK, free_port, free_ports, is_free

__all__ = ["LOOPBACK", "free_port", "free_ports", "is_free"]
