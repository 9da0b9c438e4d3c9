"""That there is no answer, and why."""

from shared.events.search_replies import ErrorCode


class Unanswerable(Exception):
    """There are no hits for this request; the reply says why."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
