"""The API's description, as OpenAPI: what FastAPI sees, and the messages of the bus that bodies may be."""

import inspect
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from services.gateway.api.bulk.documents import BulkDone, BulkProgress, LineOutcome
from shared.events.search_requests import SearchRequest


class DescribedApi(FastAPI):
    """Describes the messages of the bus beside its own documents."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"] |= _messages() | _told()
        return super().openapi()


def _messages() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([SearchRequest], ref_template="#/components/schemas/{name}")
    for schema in components.values():
        schema["description"] = inspect.cleandoc(schema["description"])
    return components


def _told() -> dict[str, Any]:
    """The events of a bulk upload."""
    _, schemas = models_json_schema(
        [(kind, "serialization") for kind in (LineOutcome, BulkProgress, BulkDone)],
        ref_template="#/components/schemas/{model}",
    )
    components: dict[str, Any] = schemas["$defs"]
    return components
