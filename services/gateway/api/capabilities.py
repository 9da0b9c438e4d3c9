"""What can be asked of this service: what the searchers understand, and the limits."""

import asyncio
import base64
import time
from collections.abc import Callable
from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from msgspec import UNSET
from pydantic import Field

from services.gateway.access.authentication import Authentication
from services.gateway.api.bodies import MAX_BODY_BYTES, MAX_SEARCH_BYTES
from services.gateway.api.documents import PROBLEMS, Document
from services.gateway.api.search_options import MAX_TIMEOUT_S
from services.gateway.api.uploads import MAX_WAIT_S
from services.gateway.connection import Connection
from services.gateway.image_index import ImageIndex
from shared.access.keys import Scope
from shared.client import BusUnavailable, NoAnswer
from shared.events.images import MAX_ATTRIBUTES_BYTES, MAX_ID_BYTES, MAX_INLINE_BYTES
from shared.events.search_replies import ErrorCode, SearchReply
from shared.events.search_requests import (
    MAX_BATCH,
    MAX_EXAMPLES,
    MAX_EXCLUDED,
    MAX_RANK,
    MAX_TEXT,
    MAX_TOP_K,
    MAX_VECTOR,
    SearchRequest,
)

_REMEMBERED_S = 60.0
_RETRY_S = 5.0
"""After nobody has answered."""
_ANSWERED_WITHIN_S = 3.0

_GREY = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAUElEQVR42u3PMQ0AMAgAMJhqbm5ETwUHSeugWT1x2YvjBAQEBAQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBPZ9w5sCBr3t57MAAAAASUVORK5CYII="
)
"""A picture that shows nothing: whoever encodes it tells the scheme."""
_QUESTION = SearchRequest(batch=[SearchRequest(image=_GREY, top_k=1), SearchRequest(text="a picture", top_k=1)])


class Searching(Document):
    """What a searcher has answered to a question of each kind, at most a minute ago."""

    scheme: str = Field(description="what makes codes of images: the code's name and a fingerprint")
    text: bool = Field(description="whether a search may be by text, which takes a CLIP model")
    shards: list[int]


class Limits(Document):
    """Of one request. Larger images go by their uri."""

    image_bytes: int = MAX_INLINE_BYTES
    upload_body_bytes: int = MAX_BODY_BYTES
    search_body_bytes: int = MAX_SEARCH_BYTES
    id_bytes: int = MAX_ID_BYTES
    attributes_bytes: int = MAX_ATTRIBUTES_BYTES
    top_k: int = MAX_TOP_K
    rank: int = Field(default=MAX_RANK, description="of the last hit that can be asked for: offset and top_k")
    examples: int = MAX_EXAMPLES
    batch: int = MAX_BATCH
    exclude: int = MAX_EXCLUDED
    vector: int = Field(default=MAX_VECTOR, description="numbers")
    text: int = Field(default=MAX_TEXT, description="characters")
    timeout_s: float = MAX_TIMEOUT_S
    wait_s: float = MAX_WAIT_S


class Access(Document):
    """What the caller may do."""

    keys: bool = Field(description="whether the gateway asks for an API key")
    scopes: list[Scope] = Field(
        description="of the key that came with this request; all of them where none is asked for"
    )
    tenant: str | None = Field(default=None, description="whose images alone the key reaches")


class Capabilities(Document):
    """What the service understands, and what the caller may do."""

    version: str
    access: Access
    searching: Searching | None = Field(description="null while no searcher answers")
    limits: Limits = Limits()


class Searchers:
    """Asks a searcher what it understands, once for all who want to know it in the next minute.

    clock: monotonic, in seconds.
    """

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._one_asks = asyncio.Lock()
        self._known: Searching | None = None
        self._good_until = 0.0

    async def searching(self) -> Searching | None:
        """None while no searcher answers."""
        async with self._one_asks:
            index = self._connection.index
            if self._clock() >= self._good_until and index is not None:
                self._known = await _ask(index)
                self._good_until = self._clock() + (_REMEMBERED_S if self._known else _RETRY_S)
            return self._known


async def _ask(index: ImageIndex) -> Searching | None:
    try:
        reply = await index.ask(_QUESTION, timeout_s=_ANSWERED_WITHIN_S)
    except (NoAnswer, BusUnavailable):
        return None
    if reply.batch is UNSET:
        return None
    by_image, by_text = reply.batch
    if by_image.error or not (by_text.error is None or _refused(by_text)):
        return None
    return Searching(scheme=by_image.scheme, text=by_text.error is None, shards=sorted(by_image.positions))


def _refused(reply: SearchReply) -> bool:
    """Whether another time would bring no other answer."""
    return reply.error is not None and reply.error.code in {ErrorCode.BAD_REQUEST, ErrorCode.UNSUPPORTED}


router = APIRouter(tags=["service"], responses=PROBLEMS)


@router.get("/capabilities", summary="What can be asked of this service", response_model=Capabilities)
async def capabilities(request: Request) -> Response:
    """Takes no key. Whoever sends one learns what it is good for."""
    state = request.app.state
    searchers: Searchers = state.searchers
    authentication: Authentication = state.authentication
    caller = authentication.known(request)
    return Capabilities(
        version=version("afterimage"),
        access=Access(
            keys=authentication.takes_keys,
            scopes=sorted(caller.scopes) if caller else [],
            tenant=caller.tenant.name if caller and caller.tenant else None,
        ),
        searching=await searchers.searching(),
    ).response()
