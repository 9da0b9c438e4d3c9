"""The API's description, as OpenAPI: what FastAPI sees, and the messages of the bus that bodies may be."""

import inspect
from typing import Any

import msgspec
from fastapi import FastAPI

from shared.events.search_requests import SearchRequest


class DescribedApi(FastAPI):
    """Describes the messages of the bus beside its own documents."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"] |= _messages()
        return super().openapi()


def _messages() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([SearchRequest], ref_template="#/components/schemas/{name}")
    for schema in components.values():
        schema["description"] = inspect.cleandoc(schema["description"])
    return components
