"""Write the schemas of the custom resources that the chart makes, from packages that were made from the operators' own.

    uv run --no-project --with cloudcoil-models-keda==2.16.1.0 --with cloudcoil-models-prometheus-operator==0.80.1.0 \
        python tests/unit/deploy/chart/make_schemas.py

Each refuses fields that it does not name, but for maps with names of one's own. `metadata` is Kubernetes's, and is
checked as such. (Importing the packages takes 17 seconds, so the tests read what this has written.)
"""

import importlib
import json
import re
from pathlib import Path
from typing import Any

_KINDS = {
    "cloudcoil.models.keda.v1alpha1": ("ScaledObject", "TriggerAuthentication"),
    "cloudcoil.models.prometheus_operator.v1": ("PodMonitor", "PrometheusRule"),
}
_SAID_ELSEWHERE = ("title", "default", "description")


def strict(schema: Any) -> Any:
    """The same schema, refusing unknown fields, without what only explains."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"}:
            found[key] = {name: strict(each) for name, each in value.items()}
        elif key == "pattern":
            found[key] = value.replace("^(?i)", "(?i)^")  # Go has it where Python does not
        elif key not in _SAID_ELSEWHERE:
            found[key] = strict(value)
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def referred_to(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with those of its definitions that it uses."""
    definitions = schema.pop("$defs")
    used: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        names = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(waiting.pop())))
        found = {name: definitions[name] for name in names - used.keys()}
        used |= found
        waiting += found.values()
    return schema | {"$defs": used}


def main() -> None:
    for module, kinds in _KINDS.items():
        for kind in kinds:
            schema = getattr(importlib.import_module(module), kind).model_json_schema(by_alias=True)
            schema["properties"]["metadata"] = {"type": "object"}
            schema["properties"].pop("status", None)
            path = Path(__file__).with_name("schemas") / f"{kind}.json"
            path.write_text(json.dumps(referred_to(strict(schema)), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
