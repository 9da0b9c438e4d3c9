"""The role of a code: feature vectors become bytes."""

from typing import Protocol

from torch import Tensor


class Code(Protocol):
    """Maps feature vectors to the bytes that are stored, sent and compared.

    A code is a pure function: the same vector gives the same bytes on every host.
    """

    @property
    def name(self) -> str:
        """The name in settings and in the scheme; a code whose bytes change needs a new one."""

    @property
    def metric(self) -> str:
        """The distance in which codes are compared, by USearch's name for it."""

    @property
    def dtype(self) -> str:
        """The type of one stored number, by USearch's name for it."""

    def bytes_per_vector(self, dim: int) -> int:
        """Return the length of the code of one vector."""

    def encode(self, vectors: Tensor) -> Tensor:
        """Quantize a batch on the device where it is.

        vectors: float32, (batch, dim), finite.
        returns: (batch, ...), each row contiguous and `bytes_per_vector(dim)` bytes long.
        """
