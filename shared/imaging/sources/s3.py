"""References to objects in S3, MinIO and other stores that speak its protocol."""

import os
import re
from datetime import timedelta
from functools import lru_cache

import obstore
from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.budget import Room
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.source import shown

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPEN_BUCKETS = 64
_CHUNK_BYTES = 1024 * 1024
_SHOWN_CHARACTERS = 300
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_NOT_THE_OBJECTS_FAULT = {
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "XAdminUserNotFound",  # versitygw, for an unknown access key
}
"""What a store says of the worker's credentials, region and clock, with the status of a missing object."""


class S3Source:
    """Reads s3://bucket/key, where the key stands as it is, not percent-encoded.

    Credentials, endpoint and region come from the usual AWS_* variables: what the
    worker's credentials can read, a producer can have indexed.
    """

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._store = lru_cache(maxsize=_OPEN_BUCKETS)(self._open_store)

    async def read(self, uri: str, room: Room) -> bytes:
        bucket, _, key = uri.partition("://")[2].partition("/")
        if not _BUCKET_NAME.fullmatch(bucket) or not key:
            raise PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} must be s3://bucket/key")
        try:
            found = await obstore.get_async(self._store(bucket), key)
            self._check_size(found.meta["size"], uri)
            body = bytearray()
            async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                body += chunk
                self._check_size(len(body), uri)
                room.claim(len(body), of=found.meta["size"])
            return bytes(body)
        except (BaseError, FileNotFoundError, ValueError) as error:
            raise _fault(error, uri) from error

    async def aclose(self) -> None:
        self._store.cache_clear()

    def _check_size(self, size: int, uri: str) -> None:
        if size > self._policy.max_bytes:
            raise PoisonInput(
                RejectReason.TOO_MANY_BYTES,
                f"{shown(uri)} has {size} bytes or more, and the limit is {self._policy.max_bytes}",
            )

    def _open_store(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            client_options={
                # An operator who names an http:// endpoint wants it used.
                "allow_http": any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS),
                "timeout": timedelta(seconds=self._policy.timeout_s),
            },
            retry_config={"max_retries": 0},  # the fetcher repeats, alike for every kind of source
        )


def _fault(error: Exception, uri: str) -> PoisonInput | TransientFault:
    code = _CODE.search(str(error))
    if code is not None and code[1] in _NOT_THE_OBJECTS_FAULT:
        return TransientFault(f"the object store refused the worker with {code[1]}: check the AWS_* settings")
    if isinstance(error, (FileNotFoundError, PermissionDeniedError, UnauthenticatedError)):
        return PoisonInput(
            RejectReason.NOT_FOUND, f"{shown(uri)} does not exist, or the worker's credentials may not read it"
        )
    if isinstance(error, GenericError):
        return TransientFault(f"the object store failed: {_first_line(error)}")
    return PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} cannot be a key: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:_SHOWN_CHARACTERS]
