"""What the Helm chart knows of the workers' settings: which variables each worker has, and what each may be.

So that `helm install` refuses a variable that no worker reads, and a value that none would start with.
"""

import json
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from services.extractor.settings import ExtractorSettings
from services.gateway.settings import GatewaySettings
from services.indexer.settings import IndexerSettings
from services.searcher.settings import SearcherSettings
from shared.runtime.settings import variable_name

WORKERS: dict[str, type[BaseSettings]] = {
    "extractor": ExtractorSettings,
    "indexer": IndexerSettings,
    "searcher": SearcherSettings,
    "gateway": GatewaySettings,
}
_SHARED_PREFIXES = ("AFTERIMAGE_", "KAFKA_", "REDIS_", "OTEL_")

# Values of the chart say these by other names, since more than the variable depends on each: a secret, a volume.
_SET_BY_THE_CHART = {
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_SECURITY_PROTOCOL",
    "AFTERIMAGE_SEGMENT_STORE",
    "AFTERIMAGE_FILE_ROOTS",
    "SEARCHER_SHARDS",
    "SEARCHER_NAME",
    "GATEWAY_KEYS",
    "GATEWAY_OPEN",
}
_SET_BY_THE_CHART_OF = ("KAFKA_SASL_", "KAFKA_SSL_", "REDIS_")
_SET_BY_THE_CHART_FOR_EACH = ("_HTTP_HOST", "_HTTP_PORT", "_INSTANCE_ID", "_SEGMENT_FOLDER", "_DRAIN_S", "_SECRET")

_WRITTEN_AS = {"INDEXER_RETENTION": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?[smhdw]$"}}
_KEPT = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern")


def with_settings(values_schema: Path) -> str:
    """Return the text of values.schema.json with the settings as they are now in its definitions."""
    schema = json.loads(values_schema.read_text(encoding="utf-8"))
    shared: dict[str, Any] = {}
    for worker, settings in WORKERS.items():
        found = _variables(settings)
        own = {name: value for name, value in found.items() if not name.startswith(_SHARED_PREFIXES)}
        schema["definitions"][f"{worker}Settings"] = _only(own)
        shared |= {name: value for name, value in found.items() if name not in own}
    schema["definitions"]["settings"] = _only(shared)
    return json.dumps(schema, indent=2) + "\n"


def shared_settings() -> str:
    """Return, as JSON, which of the variables that several workers read each of them reads."""
    each = {
        worker: sorted(name for name in _variables(settings) if name.startswith(_SHARED_PREFIXES))
        for worker, settings in WORKERS.items()
    }
    return json.dumps(each, indent=2) + "\n"


def _variables(settings: type[BaseSettings]) -> dict[str, dict[str, Any]]:
    """By variable, the JSON schema of what may be written there."""
    described = settings.model_json_schema()["properties"]
    names = {field: variable_name(settings, field) for field in settings.model_fields}
    found = {name: described.get(name) or described[field] for field, name in names.items()}
    return {
        name: _of_one_value(name, value)
        for name, value in sorted(found.items())
        if name not in _SET_BY_THE_CHART
        and not name.startswith(_SET_BY_THE_CHART_OF)
        and not name.endswith(_SET_BY_THE_CHART_FOR_EACH)
    }


def _of_one_value(name: str, described: dict[str, Any]) -> dict[str, Any]:
    """A variable holds one number, truth or text: lists and paths are texts."""
    one = next((each for each in described.get("anyOf", ()) if each["type"] != "null"), described)
    kept = {key: one[key] for key in _KEPT if key in one}
    if kept.get("type") not in {"integer", "number", "boolean", "string"}:
        kept = {"type": "string"}
    return {**_WRITTEN_AS.get(name, kept), "description": described["description"]}


def _only(variables: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(sorted(variables.items()))}
