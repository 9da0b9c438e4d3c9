"""The Python client: what an application imports to upload, delete and search.

from shared.client import AfterimageClient
"""

from shared.bus.faults import BusUnavailable
from shared.client.client import AfterimageClient, NoAnswer, Searchable, Sent, UploadRejected

__all__ = ["AfterimageClient", "BusUnavailable", "NoAnswer", "Searchable", "Sent", "UploadRejected"]
