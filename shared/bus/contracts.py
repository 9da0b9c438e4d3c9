"""The message types as JSON schemas, for the AsyncAPI documents that the workers generate."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from pydantic import WithJsonSchema

from shared.events.features import FeatureRecord
from shared.events.receipts import Receipt
from shared.events.search_replies import SearchReply
from shared.events.search_requests import SearchRequest
from shared.events.uploads import NativeUpload


@dataclass(frozen=True, slots=True)
class Contract:
    """What travels on a topic: its type, and a sentence about it."""

    message: type[msgspec.Struct]
    description: str

    def annotation(self) -> object:
        """A type that takes anything and documents itself as this contract, for FastStream, which reads annotations."""
        return Annotated[Any, WithJsonSchema(self.json_schema())]

    def json_schema(self) -> dict[str, Any]:
        """The type's schema as one object, references resolved, so that it can stand anywhere in a document."""
        (schema,), definitions = msgspec.json.schema_components([self.message], ref_template="{name}")
        resolved = _resolve(schema, definitions)
        assert isinstance(resolved, dict)  # noqa: S101 - the schema of a struct is an object
        return resolved


def _resolve(node: object, definitions: dict[str, Any], within: frozenset[str] = frozenset()) -> object:
    """within: the definitions that the node is a part of; one that holds itself again is named there, and no more."""
    if isinstance(node, list):
        return [_resolve(item, definitions, within) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"]
        if name in within:
            return {"type": "object", "title": name}
        return _resolve(definitions[name], definitions, within | {name})
    return {key: _resolve(value, definitions, within) for key, value in node.items()}


UPLOADS = Contract(
    NativeUpload,
    "An image came (native JSON, as here; CloudEvents in binary and structured mode; S3 and MinIO bucket "
    "notifications) or went (a null value). Key: the image's id.",
)
FEATURES = Contract(
    FeatureRecord,
    "An image that was encoded, as msgpack; null with source headers for a delete. Key: the image's id. Compacted.",
)
REJECTS = Contract(
    NativeUpload, "An upload event that could not be indexed, as it came; the reason stands in afterimage-reject-*."
)
RECEIPTS = Contract(Receipt, "An upload event has taken effect, and where. JSON. Key: the image's id.")
REQUESTS = Contract(
    SearchRequest,
    "Find what looks like one image, or like several. JSON, or msgpack by content-type; reply_to names the topic of "
    "the reply.",
)
REPLIES = Contract(SearchReply, "The ranked hits, or an error; in the encoding of the request, by its correlation_id.")
