"""The names in Redis. All keys of a shard share a hash tag, so that they live on one cluster slot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """meta: hash of incarnation, writer epoch and head. log: stream of batches. ops: channel of the same batches."""

    namespace: str
    shard: int

    @property
    def _tag(self) -> str:
        prefix = f"{self.namespace}." if self.namespace else ""
        return f"{{{prefix}s{self.shard}}}"

    @property
    def meta(self) -> str:
        return f"{self._tag}:meta"

    @property
    def log(self) -> str:
        return f"{self._tag}:log"

    @property
    def ops(self) -> str:
        return f"{self._tag}:ops"

    @property
    def writer(self) -> str:
        """What the writer last said of itself."""
        return f"{self._tag}:writer"

    @property
    def compaction(self) -> str:
        """The request to compact that stands."""
        return f"{self._tag}:compaction"

    @property
    def replicas(self) -> str:
        """Hash of replica name → what it last said of itself."""
        return f"{self._tag}:replicas"
