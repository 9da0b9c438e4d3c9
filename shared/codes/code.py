"""The role of a code: feature vectors become bytes."""

from typing import Protocol

from torch import Tensor


class Code(Protocol):
    """Maps feature vectors to the bytes that are stored, sent and compared.

    A code is a pure function: the same vector gives the same bytes on every host, but where a rounding error decides
    between two that are equally near.
    """

    @property
    def name(self) -> str:
        """The name in the scheme; a code whose bytes change needs a new one."""

    @property
    def metric(self) -> str:
        """The distance in which codes are compared, by the index's name for it."""

    @property
    def dtype(self) -> str:
        """The type of one stored number, by the index's name for it."""

    def bytes_per_vector(self, dim: int) -> int:
        """Return the length of the code of one vector. Raises ValueError for vectors that the code is not for."""

    def encode(self, vectors: Tensor) -> Tensor:
        """Quantize a batch on the device where it is.

        vectors: float32, (batch, dim), finite.
        returns: (batch, ...), each row contiguous and `bytes_per_vector(dim)` bytes long.
        """

    def encode_queries(self, vectors: Tensor) -> Tensor:
        """Return what queries by these vectors bring.

        vectors, returns: as of `encode`; where codes are codewords, queries are not quantized, but float32.
        """
