"""The Python client: what an application imports to upload, delete and search.

from shared.client import AfterimageClient  # or SyncAfterimageClient, where there is no event loop
"""

from shared.bus.faults import BusUnavailable
from shared.client.client import AfterimageClient, Searchable, UploadRejected
from shared.client.query import Query
from shared.client.searches import NoAnswer
from shared.client.sent import Sent
from shared.client.sync import SyncAfterimageClient
from shared.client.tracing import trace_client
from shared.wires.kafka import KafkaSecurity
from shared.wires.tls import TlsFiles

__all__ = [
    "AfterimageClient",
    "BusUnavailable",
    "KafkaSecurity",
    "NoAnswer",
    "Query",
    "Searchable",
    "Sent",
    "SyncAfterimageClient",
    "TlsFiles",
    "UploadRejected",
    "trace_client",
]
