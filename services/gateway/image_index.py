"""What the gateway asks of the index. The Python client plays this role over Kafka."""

from datetime import datetime
from typing import Protocol

from shared.client import Searchable, Sent
from shared.events.images import Attributes, SourcePosition
from shared.events.search_replies import SearchReply
from shared.events.search_requests import SearchRequest


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

    async def find_sent(self, place: SourcePosition) -> Sent | None:
        """What was handed over by this process or another, by its place; None where nothing is known of it."""

    async def wait_searchable(self, sent: Sent, *, timeout_s: float) -> Searchable:
        """Wait until an event has taken effect. Raises UploadRejected, and NoAnswer after `timeout_s`."""

    async def ask(self, request: SearchRequest, *, timeout_s: float) -> SearchReply:
        """Find what a request asks for; the reply holds the hits, or an error.

        Raises NoAnswer, and RecordTooLarge where the request is more than Kafka takes.
        """


class ConnectedIndex(ImageIndex, Protocol):
    """The one that everybody's requests go through."""

    def not_hearing(self) -> str | None:
        """Why answers are no longer heard; None where they are."""
