"""What is done about a decoder that dies or does not return."""

import signal

from shared.events.faults import PoisonInput, RejectReason
from shared.events.region import Region
from shared.imaging.decoders.assignment import Assignment
from shared.imaging.decoders.policy import Pixels
from shared.imaging.decoders.process import DecoderProcess

_TRIES = 2
_GRACE_S = 1.0


class SupervisedDecoder:
    """Decodes one image at a time, in whichever child is alive: one that fails is replaced when the next image comes.

    Every method blocks, and must be called by one thread at a time.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._process: DecoderProcess | None = None

    @property
    def pid(self) -> int | None:
        """The child that is alive, for whoever watches or disturbs it."""
        return self._process.pid if self._process else None

    def start(self) -> DecoderProcess:
        """Return the child, started if there was none. Raises TransientFault when it does not start."""
        if self._process is not None and self._process.decoded >= self._assignment.policy.max_images:
            self.stop()
        if self._process is None:
            self._process = DecoderProcess.start(self._assignment)
        return self._process

    def stop(self) -> None:
        """Let the child go, and see to it that it does."""
        process, self._process = self._process, None
        if process is not None:
            process.end(_GRACE_S)

    def decode(self, data: bytes, region: Region | None = None) -> Pixels:
        """Return the pixels.

        An image cannot send SIGKILL; an operator, or a host that is short of memory, can. So a child that is
        killed is no mark against the image, and it is tried once more. Raises PoisonInput: what `decode_rgb`
        raises, DECODE_TIMEOUT, DECODER_CRASHED; TransientFault when no child can be started.
        """
        for tries_left in reversed(range(_TRIES)):
            process = self.start()
            try:
                return process.decode(data, region)
            except (EOFError, TimeoutError, ValueError) as error:
                self._process = None
                status = process.end(_GRACE_S if isinstance(error, EOFError) else 0)
                if not (status == -signal.SIGKILL and isinstance(error, EOFError) and tries_left):
                    raise self._fault(error, status) from error
        raise AssertionError("the last try returns or raises")

    def _fault(self, error: Exception, status: int) -> PoisonInput:
        policy = self._assignment.policy
        if status == -signal.SIGPROF:
            return _timeout(f"{policy.max_cpu_s:g} s of a processor")
        if isinstance(error, TimeoutError) or status == -signal.SIGALRM:
            return _timeout(f"{policy.deadline_s:g} s")
        if isinstance(error, EOFError):
            return _crash(signal.Signals(-status).name if status < 0 else f"exit status {status}")
        return _crash(f"an answer that is none: {error}")


def _timeout(limit: str) -> PoisonInput:
    return PoisonInput(
        RejectReason.DECODE_TIMEOUT,
        f"the decoder was stopped after {limit}; save the image again in a plain form, or scale it down",
    )


def _crash(end: str) -> PoisonInput:
    return PoisonInput(
        RejectReason.DECODER_CRASHED, f"the decoder ended with {end}; save the image again, and report this one"
    )
