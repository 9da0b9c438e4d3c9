"""What a command says when it cannot do its work, and the status that it ends with."""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses; a script may rely on them."""

    OK = 0
    FAILED = 1
    """Something that the command needs does not work, such as a broker that does not answer."""
    MISUSED = 2
    """The arguments or the settings are wrong."""
    INCOMPLETE = 3
    """The work was done, but not for all: some images were rejected, or nothing was found."""


class Failure(Exception):
    """Ends the command with one sentence for the person who gave it."""

    def __init__(self, sentence: str, status: Status = Status.FAILED) -> None:
        super().__init__(sentence)
        self.status = status
