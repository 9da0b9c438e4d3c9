"""What one writes first: ``python -m benchmarks.extract.naive_app SERVERS THREADS BACKEND UPLOADS FEATURES``.

A FastStream handler that takes one message at a time, with the acknowledgement that FastStream has by default.
"""

import argparse
import asyncio
import io
from pathlib import Path
from urllib.parse import unquote, urlsplit

from faststream import FastStream
from faststream.kafka import KafkaBroker
from pydantic import Base64Bytes, BaseModel

from benchmarks.extract.embedding import EmbeddingModel

READY = "the naive handler listens"
_SESSION_MS = 600_000
"""The benchmark freezes it while others have their turn; it shall not lose its partitions by that."""


class Upload(BaseModel):
    """An image by value, or as a file of this host."""

    id: str
    data: Base64Bytes | None = None
    uri: str | None = None

    def file(self) -> io.BytesIO:
        if self.data is not None:
            return io.BytesIO(self.data)
        return io.BytesIO(Path(unquote(urlsplit(self.uri).path)).read_bytes())


def build(servers: str, threads: int, backend: str, uploads: str, features: str) -> FastStream:
    model = EmbeddingModel(threads, None if backend == "same" else backend)
    broker = KafkaBroker(servers)
    app = FastStream(broker)

    @broker.subscriber(uploads, group_id=uploads, auto_offset_reset="earliest", session_timeout_ms=_SESSION_MS)
    async def extract(upload: Upload) -> None:
        vector = model.embed(model.load(upload.file())[None])[0]
        await broker.publish(vector.numpy().tobytes(), features, key=upload.id.encode())

    @app.after_startup
    async def ready() -> None:
        print(READY, flush=True)

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("servers", "threads", "backend", "uploads", "features"):
        parser.add_argument(name, type=int if name == "threads" else str)
    asyncio.run(build(**vars(parser.parse_args())).run())


if __name__ == "__main__":
    main()
