"""How the images of several tenants live in one index: each has ids of its own, and an attribute that says whose it is.

The image `a` of the tenant `shop` has the id `shop/a` and the attribute `tenant` with the value `shop`. A tenant's name
has no slash, so that no two tenants share an id.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.events.images import Attributes
from shared.events.search_replies import ErrorCode, Hit, SearchReply
from shared.events.search_requests import BadRequest, Example, SearchRequest

TENANT = "tenant"
"""The attribute's name."""
_ID = "@id"
_MAX_DEPTH = 64
"""Of a filter; far above what the searchers take."""


class Forbidden(Exception):
    """Whoever has a tenant must not do that; the text says what."""


class Tenant:
    """One tenant's view of what is in the index."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._prefix = f"{name}/"

    def stored_id(self, image_id: str) -> str:
        """The id that the index has for what the tenant calls so."""
        return self._prefix + image_id

    def owns(self, stored_id: str) -> bool:
        return stored_id.startswith(self._prefix)

    def own_id(self, stored_id: str) -> str:
        """What the tenant calls it."""
        return stored_id.removeprefix(self._prefix)

    def stored_attributes(self, attributes: Mapping[str, Any]) -> Attributes:
        """The attributes with the tenant's. Raises Forbidden for those that name another one."""
        if attributes.get(TENANT, self.name) != self.name:
            raise Forbidden(f"the attribute {TENANT!r} is set by the key: leave it out")
        return {**attributes, TENANT: self.name}

    def check_uri(self, uri: str | None) -> None:
        """Raises Forbidden for what only the operator may have read: files and buckets hold what other tenants have."""
        if uri is not None and not uri.lower().startswith(("http://", "https://")):
            raise Forbidden("a key with a tenant names http:// and https:// addresses alone: send the image itself")

    def narrowed(self, request: SearchRequest) -> SearchRequest:
        """The same search among the tenant's images alone. Raises Forbidden, BadRequest."""
        if request.batch is not None:
            return msgspec.structs.replace(request, batch=[self.narrowed(each) for each in request.batch])
        if request.explain:
            raise Forbidden("'explain' tells of the whole index, of which a key with a tenant sees its part alone")
        self.check_uri(request.uri)
        mine: dict[str, Any] = {TENANT: self.name}
        return msgspec.structs.replace(
            request,
            id=self._stored(request.id),
            examples=None if request.examples is None else [self._example(each) for each in request.examples],
            filter=mine if request.filter is None else {"$and": [mine, self._filter(request.filter, depth=0)]},
            exclude=frozenset(map(self.stored_id, request.exclude)),
        )

    def own_view(self, reply: SearchReply) -> SearchReply:
        """The reply as the tenant may see it."""
        if reply.batch:
            return msgspec.structs.replace(reply, batch=[self.own_view(each) for each in reply.batch])
        error = reply.error
        if error is not None and error.code is ErrorCode.UNKNOWN_ID:
            error = msgspec.structs.replace(error, message=error.message.replace(self._prefix, "", 1))
        return msgspec.structs.replace(reply, error=error, hits=[self._hit(hit) for hit in reply.hits])

    def _stored(self, image_id: str | None) -> str | None:
        return None if image_id is None else self.stored_id(image_id)

    def _example(self, example: Example) -> Example:
        self.check_uri(example.uri)
        return msgspec.structs.replace(example, id=self._stored(example.id))

    def _filter(self, value: object, *, depth: int, of_ids: bool = False) -> object:
        """The same condition, on the ids that the index has: every text in one on `@id` is an id or begins one."""
        if depth > _MAX_DEPTH:
            raise BadRequest(f"the filter is nested more than {_MAX_DEPTH} deep")
        if isinstance(value, list):
            return [self._filter(each, depth=depth + 1, of_ids=of_ids) for each in value]
        if isinstance(value, dict):
            return {
                name: self._filter(inner, depth=depth + 1, of_ids=of_ids or name == _ID)
                for name, inner in value.items()
            }
        return self.stored_id(value) if of_ids and isinstance(value, str) else value

    def _hit(self, hit: Hit) -> Hit:
        attributes = {name: value for name, value in hit.attributes.items() if name != TENANT}
        return msgspec.structs.replace(hit, id=self.own_id(hit.id), attributes=attributes)
