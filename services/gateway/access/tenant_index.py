"""The index as one tenant has it: whatever is asked of it is about their images alone."""

import dataclasses
from datetime import datetime

import msgspec

from services.gateway.image_index import ImageIndex
from shared.access.tenancy import Tenant
from shared.client import Searchable, Sent
from shared.events.images import Attributes, SourcePosition, check_id
from shared.events.search_replies import SearchReply
from shared.events.search_requests import SearchRequest


class TenantIndex:
    """Implements ImageIndex; every method may raise Forbidden besides."""

    def __init__(self, index: ImageIndex, tenant: Tenant) -> None:
        self._index = index
        self._tenant = tenant

    async def upload(
        self,
        image_id: str,
        *,
        uri: str | None = None,
        data: bytes | None = None,
        attributes: Attributes | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        self._tenant.check_uri(uri)
        sent = await self._index.upload(
            self._tenant.stored_id(check_id(image_id)),
            uri=uri,
            data=data,
            attributes=self._tenant.stored_attributes(attributes or {}),
            occurred_at=occurred_at,
        )
        return dataclasses.replace(sent, id=image_id)

    async def delete(self, image_id: str) -> Sent:
        sent = await self._index.delete(self._tenant.stored_id(check_id(image_id)))
        return dataclasses.replace(sent, id=image_id)

    async def find_sent(self, place: SourcePosition) -> Sent | None:
        sent = await self._index.find_sent(place)
        if sent is None or not self._tenant.owns(sent.id):
            return None
        return dataclasses.replace(sent, id=self._tenant.own_id(sent.id))

    async def wait_searchable(self, sent: Sent, *, timeout_s: float) -> Searchable:
        searchable = await self._index.wait_searchable(sent, timeout_s=timeout_s)
        receipt = msgspec.structs.replace(searchable.receipt, id=sent.id)
        return dataclasses.replace(searchable, receipt=receipt)

    async def ask(self, request: SearchRequest, *, timeout_s: float) -> SearchReply:
        return self._tenant.own_view(await self._index.ask(self._tenant.narrowed(request), timeout_s=timeout_s))
