"""References to the web."""

import ssl
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.budget import Room
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.addresses import PublicAddressResolver, check_literal, open_public_socket
from shared.imaging.sources.names import SystemResolver
from shared.imaging.sources.source import shown

_REDIRECTS = {301, 302, 303, 307, 308}
_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_CHUNK_BYTES = 64 * 1024
_SHOWN_CHARACTERS = 200


class HttpSource:
    """Reads http(s):// references over kept connections, with no cookies and no proxy.

    A producer chooses where the request goes, so every hop is checked: the scheme, the
    address if the host is one, each address that the host resolves to, and once more the
    one that is connected to. The URL that is checked is the very object that is requested:
    two parsers would be one too many. A kept connection stays with the address that it was
    opened to, whatever its name resolves to by then.
    """

    def __init__(
        self, policy: FetchPolicy, resolver: AbstractResolver | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """tls: verifies certificates, for the name in the URL; by default against the system's authorities."""
        self._policy = policy
        self._resolver = resolver or SystemResolver()
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def read(self, uri: str, room: Room) -> bytes:
        try:
            url = URL(uri)
            for _ in range(self._policy.max_redirects + 1):
                self._check(url)
                async with self._open_session().get(url, allow_redirects=False) as answer:
                    if answer.status not in _REDIRECTS:
                        return await self._body(answer, uri, room)
                    url = _target(answer, url)
        except aiohttp.InvalidURL as error:
            raise _no_url(uri, error) from error
        except aiohttp.ClientError as error:  # before ValueError, which a bad certificate is, too
            raise TransientFault(f"the connection failed with {type(error).__name__}: {_told(error)}") from error
        except ValueError as error:
            raise _no_url(uri, error) from error
        raise PoisonInput(
            RejectReason.FETCH_FAILED,
            f"{shown(uri)} was redirected more than {self._policy.max_redirects} times; give its final address",
        )

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        await self._resolver.close()

    def _check(self, url: URL) -> None:
        if not self._policy.allow_http:
            raise PoisonInput(
                RejectReason.URI_NOT_ALLOWED, f"{shown(str(url))} is on the web, which this deployment does not read"
            )
        if url.scheme not in {"http", "https"} or not url.host:
            raise PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(str(url))} is not an http(s) address with a host")
        if not self._policy.allow_private_addresses:
            check_literal(url.host)

    async def _body(self, answer: aiohttp.ClientResponse, uri: str, room: Room) -> bytes:
        _check_status(answer.status, uri)
        _check_encoding(answer, uri)
        body = bytearray()
        self._check_size(answer.content_length or 0, uri)
        expected = answer.content_length or self._policy.max_bytes
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            self._check_size(len(body), uri)
            room.claim(len(body), of=expected)
        return bytes(body)

    def _check_size(self, size: int, uri: str) -> None:
        if size > self._policy.max_bytes:
            raise PoisonInput(
                RejectReason.TOO_MANY_BYTES, f"{shown(uri)} is larger than the limit of {self._policy.max_bytes} bytes"
            )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                # The fetcher keeps the time of an attempt; a compressed body would dodge the size limit.
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                headers={"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "afterimage"},
                trust_env=False,
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        anywhere = self._policy.allow_private_addresses
        return aiohttp.TCPConnector(
            # The worker bounds what is under way. A bound here would let slow servers keep others waiting, and failing.
            limit=0,
            resolver=self._resolver if anywhere else PublicAddressResolver(self._resolver),
            socket_factory=None if anywhere else open_public_socket,
            ssl=True if self._tls is None else self._tls,
        )


def _target(answer: aiohttp.ClientResponse, page: URL) -> URL:
    """Where a page redirects to. Its body is not read: the connection is closed instead."""
    location = answer.headers.get("Location")
    if not location:
        raise PoisonInput(RejectReason.FETCH_FAILED, f"{shown(str(page))} redirects to nowhere")
    target = page.join(URL(location))
    if page.scheme == "https" and target.scheme == "http":
        raise PoisonInput(
            RejectReason.URI_NOT_ALLOWED,
            f"{shown(str(page))} redirects to {shown(str(target))}, which is not encrypted; "
            "if that is meant, give its final address",
        )
    return target


def _no_url(uri: str, error: ValueError) -> PoisonInput:
    return PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} leads to no valid URL: {error}")


def _told(error: aiohttp.ClientError) -> str:
    """What an error says, without the whole URL (its query may be a signature), and not all that a server sent."""
    said = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join(said.split())[:_SHOWN_CHARACTERS]


def _check_status(status: int, uri: str) -> None:
    if status == HTTPStatus.OK:
        return
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
        raise TransientFault(f"the server answered {status}")
    if status >= HTTPStatus.BAD_REQUEST:
        raise PoisonInput(RejectReason.NOT_FOUND, f"the server answered {status} for {shown(uri)}; check the address")
    raise PoisonInput(RejectReason.FETCH_FAILED, f"the server answered {status} for {shown(uri)}, and no image")


def _check_encoding(answer: aiohttp.ClientResponse, uri: str) -> None:
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() not in {"", "identity"}:
        raise PoisonInput(
            RejectReason.FETCH_FAILED,
            f"the server answered {shown(uri)} compressed ({encoding[:20]!r}), though asked not to; serve it as it is",
        )
