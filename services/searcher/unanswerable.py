"""That there is no answer, and why."""

from msgspec import UNSET, UnsetType

from shared.events.search_replies import ErrorCode


class Unanswerable(Exception):
    """There are no hits for this request; the reply says why. codes: of ids that it asks about, known all the same."""

    def __init__(self, code: ErrorCode, message: str, *, codes: dict[str, bytes] | UnsetType = UNSET) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.codes = codes
