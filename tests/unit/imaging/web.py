"""A real web server on the loopback interface, whose pages behave as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

BODY = b"\xff\xd8\xff the bytes of an image"
LARGE = 1_000_000


class Site:
    """Remembers its visits. `/flaky` fails as often as `failures` says, `/slow` answers after `release`."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        self.connections: set[tuple[str, int]] = set()
        self.headers: dict[str, str] = {}
        self.failures = 0
        self.arrived = asyncio.Semaphore(0)
        self.release = asyncio.Event()
        self._server = TestServer(self._application())

    def url(self, path: str) -> str:
        return str(self._server.make_url(path))

    @property
    def port(self) -> int:
        assert self._server.port is not None
        return self._server.port

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Site"]:
        async with self._server:
            try:
                yield self
            finally:
                self.release.set()

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/status/{code}", self._status)
        application.router.add_get("/redirect", self._redirect)
        for page in (self._image, self._flaky, self._cut, self._slow, self._announced, self._endless):
            application.router.add_get(f"/{page.__name__.removeprefix('_')}", page)
        return application

    def _visit(self, request: web.Request) -> None:
        self.visits.append(request.path)
        self.arrived.release()
        self.headers = dict(request.headers)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))

    async def _image(self, request: web.Request) -> web.Response:
        self._visit(request)
        return web.Response(body=BODY, content_type="image/jpeg")

    async def _status(self, request: web.Request) -> web.Response:
        self._visit(request)
        return web.Response(status=int(request.match_info["code"]))

    async def _redirect(self, request: web.Request) -> web.Response:
        self._visit(request)
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def _flaky(self, request: web.Request) -> web.Response:
        self._visit(request)
        self.failures -= 1
        return web.Response(body=BODY) if self.failures < 0 else web.Response(status=503)

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        self._visit(request)
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def _slow(self, request: web.Request) -> web.Response:
        self._visit(request)
        await self.release.wait()
        return web.Response(body=BODY)

    async def _announced(self, request: web.Request) -> web.Response:
        self._visit(request)
        return web.Response(body=bytes(LARGE))

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """Never says how much is coming, and never stops."""
        self._visit(request)
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        while not self.release.is_set():
            await answer.write(bytes(64 * 1024))
        return answer
