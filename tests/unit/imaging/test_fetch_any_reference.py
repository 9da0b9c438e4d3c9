"""Whatever a reference says, fetching it ends with bytes or with a reason: nothing else may reach the worker."""

import contextlib
import socket
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.faults import PoisonInput
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources import addresses

SPECIAL = [
    *("http", "https", "file", "s3", "://", "//", "/", "\\", "@", ":", "[", "]", "%", "#", "?", ".", "..", "~"),
    *("%00", "%2e", "%ff", "\r\n", "\x00", "\u3002", "xn--", "e" * 70, "127.0.0.1", "::1", "localhost", "bucket"),
]
PIECES = st.lists(st.sampled_from(SPECIAL) | st.text(max_size=6), max_size=12).map("".join)
REFERENCES = st.one_of(
    st.text(max_size=30),
    *(PIECES.map(start.__add__) for start in ("", "http://", "https://", "file:///", "s3://", "s3://bucket/")),
)


class NoNames(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(f"there is no {host}")

    async def close(self) -> None: ...


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uri=REFERENCES)
async def test_any_reference_ends_with_bytes_or_a_reason(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    policy = FetchPolicy(attempts=1, file_roots=(tmp_path,))
    async with Fetcher(policy, resolver=NoNames()) as fetcher:
        with contextlib.suppress(PoisonInput):
            await fetcher.fetch(uri)
