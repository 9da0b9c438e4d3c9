"""What a shard must hold: a dictionary of what is there, and one of what was deleted."""

from dataclasses import dataclass

import numpy as np

from shared.events.operations import Delete, Operation, Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.shard import EMPTY_POSITION, Outcome
from shared.index.vectors import VectorFormat


@dataclass(frozen=True)
class Gone:
    """at: the time of the log when it was deleted."""

    source: int
    at: int


class Model:
    """Knows nothing of segments: whatever is sealed, merged, exchanged or reopened, nothing that it says may change."""

    def __init__(self, vector_format: VectorFormat) -> None:
        self.vector_format = vector_format
        self.operations: list[Operation] = []
        self.live: dict[str, Upsert] = {}
        self.gone: dict[str, Gone] = {}
        self.scheme: str | None = None
        self.code_bytes: int | None = None
        self.offset = EMPTY_POSITION

    def apply(self, operation: Operation) -> Outcome:
        self.operations.append(operation)
        if operation.source.offset < self._known_source(operation.id):
            return Outcome.STALE
        if isinstance(operation, Upsert) and not self._fits(operation):
            return Outcome.FOREIGN
        self.live.pop(operation.id, None)
        self.gone.pop(operation.id, None)
        if isinstance(operation, Upsert):
            self.scheme, self.code_bytes = operation.scheme, len(operation.code)
            self.live[operation.id] = operation
        else:
            self._remember(operation)
        if not self.live:
            self.scheme = self.code_bytes = None
        return Outcome.APPLIED

    def similarity(self, query: bytes, code: bytes) -> float:
        if self.vector_format.quantizes:
            stands_for = np.frombuffer(self.vector_format.query_of(code), np.float32)
            asked = np.frombuffer(query, np.float32)
            return float(asked @ stands_for / (np.linalg.norm(asked) * np.linalg.norm(stands_for)))
        a, b = (np.frombuffer(data, self.vector_format.dtype).astype(float) for data in (query, code))
        if self.vector_format.metric == "l2sq":
            return float(-((a - b) ** 2).sum())
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    def _known_source(self, image_id: str) -> int:
        if image_id in self.live:
            return self.live[image_id].source.offset
        return self.gone[image_id].source if image_id in self.gone else -1

    def _fits(self, upsert: Upsert) -> bool:
        length = len(upsert.code)
        return self.scheme in (None, upsert.scheme) and 0 < length == (self.code_bytes or length)

    def _remember(self, delete: Delete) -> None:
        now = max([delete.uploaded_at, *(gone.at for gone in self.gone.values())])
        self.gone = {image_id: gone for image_id, gone in self.gone.items() if gone.at >= now - DELETE_RETENTION_MS}
        self.gone[delete.id] = Gone(delete.source.offset, now)
