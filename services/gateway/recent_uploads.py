"""The uploads and deletes that went through this gateway of late: what they are asked for by whoever did not wait."""

from collections import OrderedDict

from services.gateway.access.caller import Caller
from shared.client import Sent

_KEPT = 20_000


class RecentUploads:
    """Bounded: the oldest are forgotten first."""

    def __init__(self, *, kept: int = _KEPT) -> None:
        self._kept = kept
        self._sent: OrderedDict[tuple[int, int], tuple[str | None, Sent]] = OrderedDict()

    def add(self, caller: Caller, sent: Sent) -> None:
        self._sent[sent.source.partition, sent.source.offset] = (_tenant(caller), sent)
        if len(self._sent) > self._kept:
            self._sent.popitem(last=False)

    def find(self, caller: Caller, partition: int, offset: int) -> Sent | None:
        """None for what is not known here, or not of the caller's tenant."""
        tenant, sent = self._sent.get((partition, offset), (None, None))
        return sent if _tenant(caller) in (None, tenant) else None


def _tenant(caller: Caller) -> str | None:
    return None if caller.tenant is None else caller.tenant.name
