"""What this process is called where nobody named it."""

import os
import socket


def process_name() -> str:
    """Its host and its number there: no two that run at one time have the same."""
    return f"{socket.gethostname()}-{os.getpid()}"
