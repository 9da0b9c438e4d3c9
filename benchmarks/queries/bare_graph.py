"""USearch as one uses it by itself: one graph over the same codes, with the links and the effort of ours."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from usearch.index import Index

from shared.index.sealed.graph import CONNECTIVITY
from shared.index.sealed.graph_building import EXPANSION_ADD
from shared.index.sealed.segment import EXPANSION_SEARCH


class BareGraph:
    """codes: int8 (rows, dim), of the code i8. One thread searches, as in the searcher."""

    def __init__(self, codes: npt.NDArray[np.int8]) -> None:
        self._index = Index(
            ndim=codes.shape[1],
            metric="cos",
            dtype="i8",
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            expansion_search=EXPANSION_SEARCH,
            enable_key_lookups=False,
        )
        self._index.add(np.arange(len(codes), dtype=np.uint64), codes, threads=1)
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def search(self, query: npt.NDArray[np.int8], k: int) -> None:
        self._index.search(query, k, threads=1)

    async def search_beside(self, query: npt.NDArray[np.int8], k: int) -> None:
        """Search in the thread, after those that asked before."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.search, query, k)
