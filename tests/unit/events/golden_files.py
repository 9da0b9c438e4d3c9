"""The golden files: bytes as they stand on the bus, and whole records as a sidecar beside their value.

`NAME.record.json` holds a record's key and headers, and names the file of its value (null for a tombstone).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from shared.events import headers as hdr

GOLDEN = Path(__file__).with_name("golden")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    key: bytes | None
    headers: hdr.Headers
    value: bytes | None


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def golden_record(name: str) -> Record:
    sidecar = json.loads(golden(f"{name}.record.json"))
    return Record(
        key=None if sidecar["key"] is None else sidecar["key"].encode(),
        headers=[(header, text.encode()) for header, text in sidecar["headers"].items()],
        value=None if sidecar["value"] is None else golden(sidecar["value"]),
    )
