"""References to objects in S3, MinIO and other stores that speak its protocol."""

import os
import re
from datetime import timedelta
from functools import lru_cache

import obstore
from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.source import shown

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPEN_BUCKETS = 64


class S3Source:
    """Reads s3://bucket/key, where the key stands as it is, not percent-encoded.

    Credentials, endpoint and region come from the usual AWS_* variables: what the
    worker's credentials can read, a producer can have indexed.
    """

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._store = lru_cache(maxsize=_OPEN_BUCKETS)(self._open_store)

    async def read(self, uri: str) -> bytes:
        bucket, _, key = uri.partition("://")[2].partition("/")
        if not _BUCKET_NAME.fullmatch(bucket) or not key:
            raise PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} must be s3://bucket/key")
        try:
            found = await obstore.get_async(self._store(bucket), key)
            if found.meta["size"] > self._policy.max_bytes:
                raise PoisonInput(
                    RejectReason.TOO_MANY_BYTES,
                    f"{shown(uri)} has {found.meta['size']} bytes, and the limit is {self._policy.max_bytes}",
                )
            return bytes(await found.bytes_async())
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            raise PoisonInput(
                RejectReason.NOT_FOUND,
                f"{shown(uri)} does not exist, or the worker's credentials may not read it",
            ) from error
        except GenericError as error:
            raise TransientFault(f"the object store failed: {error}") from error
        except (BaseError, ValueError) as error:
            raise PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} cannot be a key: {error}") from error

    async def aclose(self) -> None:
        self._store.cache_clear()

    def _open_store(self, bucket: str) -> S3Store:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
        return S3Store(
            bucket,
            client_options={
                # An operator who names an http:// endpoint wants it used.
                "allow_http": endpoint.startswith("http://"),
                "timeout": timedelta(seconds=self._policy.timeout_s),
            },
            retry_config={"max_retries": 0},  # the fetcher repeats, alike for every kind of source
        )
