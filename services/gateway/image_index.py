"""What the gateway asks of the index. The Python client plays this role over Kafka."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

from shared.client import Searchable, Sent
from shared.events.images import Attributes
from shared.events.region import Region
from shared.events.search_replies import SearchReply


class ImageIndex(Protocol):
    """Every method may raise BusUnavailable."""

    async def upload(
        self,
        image_id: str,
        *,
        uri: str | None = None,
        data: bytes | None = None,
        attributes: Attributes | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        """Hand an image over; returns when Kafka has it. Raises PoisonInput."""

    async def delete(self, image_id: str) -> Sent:
        """Ask for an image to be forgotten; returns when Kafka has the request. Raises PoisonInput."""

    async def wait_searchable(self, sent: Sent, *, timeout_s: float) -> Searchable:
        """Wait until an event has taken effect. Raises UploadRejected, and NoAnswer after `timeout_s`."""

    async def search(
        self,
        *,
        image: bytes | None = None,
        uri: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name in the contract
        text: str | None = None,
        region: Region | None = None,
        top_k: int = 10,
        offset: int = 0,
        min_score: float | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's name in the contract
        exclude: Collection[str] = (),
        exact: bool = False,
        attributes: Collection[str] | None = None,
        explain: bool = False,
        min_position: Mapping[int, int] | None = None,
        timeout_s: float = 10.0,
    ) -> SearchReply:
        """Find what looks like an image, or like a text; the reply holds the hits, or an error. Raises NoAnswer."""
