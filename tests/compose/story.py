"""What is done to the running services, and what must be true of them afterwards."""

import asyncio
import json
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Coroutine

import boto3

from shared.client import AfterimageClient
from tests.compose.diary import Diary
from tests.compose.engine import Engine, EngineFailedError
from tests.compose.isolation import NotIsolatedError, check_isolation
from tests.compose.stack import Stack
from tests.compose.uploads import LostError, Uploads, found
from tests.harness.service import PHOTOS
from tests.unit.deploy.files import services

KAFKA = "localhost:9092"
GATEWAY = "http://localhost:8084"
PROMETHEUS = "http://localhost:9090"
MINIO = "http://localhost:9000"
CRASHING = ("indexer", "searcher", "extractor", "gateway", "redis", "kafka")
WITHIN_S = 120.0
_POLL_S = 0.5
_BEFORE = 10
"""So many images are on their way when something crashes."""


class PromiseBrokenError(Exception):
    """What should have been true is not."""


class Story:
    """Each method is a part that can stand alone, once the services run."""

    def __init__(self, engine: Engine, stack: Stack, diary: Diary) -> None:
        self._engine = engine
        self._stack = stack
        self._diary = diary
        self._uploads = Uploads()

    def isolation_holds(self) -> None:
        for container in self._stack.containers():
            service = self._stack.service_of(container)
            if services()[service]["restart"] != "no":
                self._diary.say(f"{container}: {check_isolation(self._engine, container, service)}")
        self._diary.say("gateway: what takes more memory than its limit is killed, and the gateway goes on")
        too_much = "import sys; sys.stdout.write(str(len(b'x' * (2 << 30))))"
        try:
            self._stack.exec("gateway", "python", "-c", too_much)
        except EngineFailedError as error:
            if "137" not in str(error):
                raise
        else:
            raise NotIsolatedError("the gateway's container held 2 GiB, and its limit is 1")
        self._stack.wait_for(self._stack.container("gateway"))

    def photos_are_found(self) -> None:
        with self._diary.step("ingest the photos, by the command line in the extractor's container"):
            said = self._stack.exec("extractor", "afterimage", "ingest", "/images", timeout_s=300)
        self._diary.say(said.strip().splitlines()[-1])
        expect("53 indexed, 0 rejected" in said, said)
        self.panda_is_found()

    def panda_is_found(self) -> None:
        self._diary.say("search, by the command line on this machine, and by HTTP")
        panda = str(PHOTOS / "animal" / "panda.webp")
        hits = json.loads(self._cli("search", panda, "--json"))["hits"]
        expect(hits[0]["id"] == "animal/panda.webp" and hits[0]["score"] > 0.999, hits)
        answer = json.loads(fetch(f"{GATEWAY}/search?" + urllib.parse.urlencode({"id": "animal/panda.webp"})))
        expect(answer["hits"][0]["id"] == "animal/panda.webp", answer)

    def prometheus_sees(self, **wanted: int) -> None:
        """wanted: by job, how many of it are up."""
        query = f"{PROMETHEUS}/api/v1/query?" + urllib.parse.urlencode({"query": "up == 1"})

        def seen() -> Counter[str]:
            return Counter(up["metric"]["job"] for up in json.loads(fetch(query))["data"]["result"])

        with self._diary.step(f"Prometheus sees {wanted}"):
            until(lambda: seen() == wanted, f"Prometheus does not see {wanted}")

    def survives_a_crash(self, service: str) -> None:
        with self._diary.step(f"kill -9 {service}, while images come"):
            asyncio.run(self._crash(service))
        self.all_is_found()

    def every_copy_is_right(self) -> None:
        """As soon as the searchers have caught up, and have said so."""

        def verified() -> bool:
            try:
                self._cli("verify")
            except EngineFailedError:
                return False
            return True

        with self._diary.step("afterimage verify: every copy of every shard is what Kafka comes to"):
            until(verified, "a copy differs")

    def all_is_found(self) -> None:
        async def check() -> None:
            async with AfterimageClient(KAFKA) as client:
                await self._uploads.check_all_found(client)

        asyncio.run(check())
        self._diary.say(f"all {len(self._uploads.acknowledged)} acknowledged uploads are found")

    def two_extractors_share_the_work(self) -> None:
        """As the file says: without the id, which belongs to one process alone."""
        with self._diary.step("EXTRACTOR_INSTANCE_ID= up --scale extractor=2"):
            self._stack.scale("extractor", 2, env={"EXTRACTOR_INSTANCE_ID": ""})
        self.prometheus_sees(extractor=2, indexer=1, searcher=3, gateway=1)
        with self._diary.step("both take part in the work"):
            until(lambda: asyncio.run(self._extractors_at_work()) == 2, "only one of two extractors encodes")

    def a_bucket_is_indexed(self) -> None:
        """Its server announces what is put, also what was put while Kafka was away; and what is removed."""
        environment = services()["minio"]["environment"]
        session = boto3.Session(
            environment["MINIO_ROOT_USER"], environment["MINIO_ROOT_PASSWORD"], region_name="us-east-1"
        )
        s3 = session.client("s3", endpoint_url=MINIO)

        def put(key: str) -> None:
            s3.put_object(Bucket="images", Key=key, Body=(PHOTOS / key).read_bytes())

        with self._diary.step("put an object into the bucket: it is found"):
            put("animal/panda.webp")
            self._until_found("images/animal/panda.webp")
        with self._diary.step("remove it: it is not found any more"):
            s3.delete_object(Bucket="images", Key="animal/panda.webp")
            self._until_found("images/animal/panda.webp", expected=False)
        self._diary.say("stop Kafka, put another, start Kafka")
        kafka = self._stack.container("kafka")
        self._engine("stop", kafka)
        put("animal/moose.webp")
        self._engine("start", kafka)
        with self._diary.step("what was put while Kafka was away is found"):
            self._stack.wait_for(kafka)
            self._until_found("images/animal/moose.webp")
        s3.close()

    async def _crash(self, service: str) -> None:
        container = self._stack.container(service)
        restarts = self._engine.inspect(container)["RestartCount"]
        async with AfterimageClient(KAFKA) as client, self._uploads.flowing(client):
            await self._uploads.more(_BEFORE)
            await asyncio.to_thread(self._engine.crash, container)
            await asyncio.gather(
                self._timed(f"{service} killed: new images are searchable, all searchers answer", self._works(client)),
                self._timed(f"{service} killed: healthy again", asyncio.to_thread(self._is_back, container, restarts)),
            )
            await self._uploads.more(_BEFORE)

    async def _works(self, client: AfterimageClient) -> None:
        async with asyncio.timeout(WITHIN_S):
            await self._uploads.until_all_works(client)

    def _is_back(self, container: str, restarts: int) -> None:
        until(lambda: self._engine.inspect(container)["RestartCount"] > restarts, f"{container} was not started again")
        self._stack.wait_for(container)

    async def _timed(self, what: str, work: Coroutine[None, None, None]) -> None:
        began = time.monotonic()
        await work
        self._diary.took(what, time.monotonic() - began)

    async def _extractors_at_work(self) -> int:
        """How many of them have encoded something, after some more images."""
        async with AfterimageClient(KAFKA) as client:
            for sent in [await self._uploads.upload(client) for _ in range(_BEFORE)]:
                await client.wait_searchable(sent, timeout_s=30)
        query = urllib.parse.urlencode({"query": 'afterimage_extractor_events_total{outcome="encoded"} > 0'})
        return len(json.loads(fetch(f"{PROMETHEUS}/api/v1/query?{query}"))["data"]["result"])

    def _until_found(self, image_id: str, *, expected: bool = True) -> None:
        async def search() -> bool:
            async with AfterimageClient(KAFKA) as client:
                return await found(client, image_id)

        until(lambda: asyncio.run(search()) is expected, f"{image_id} is {'not ' if expected else 'still '}found")

    def _cli(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "services.cli", *arguments]
        return self._engine.run(command, env={"KAFKA_BOOTSTRAP_SERVERS": KAFKA})


def expect(true: bool, seen: object) -> None:
    if not true:
        raise PromiseBrokenError(f"not as it should be: {seen}")


def until(true: Callable[[], bool], otherwise: str) -> None:
    """Raises PromiseBrokenError after two minutes. What cannot be reached yet is asked again."""
    deadline = time.monotonic() + WITHIN_S
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if true():
                return
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told at the end
            last = error
        time.sleep(_POLL_S)
    raise PromiseBrokenError(f"{otherwise}, in {WITHIN_S:.0f} s") from last


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a fixed address
        body: bytes = answer.read()
    return body


__all__ = ["CRASHING", "LostError", "PromiseBrokenError", "Story"]
