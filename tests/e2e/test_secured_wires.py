"""On servers that ask everybody who they are: each worker does its work with its own rights, and no more than that."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, for_code
from redis.exceptions import NoPermissionError

from shared.bus.cluster import Cluster
from shared.bus.faults import NO_RIGHT, BusRefused
from shared.bus.producer import RecordProducer
from shared.bus.scan import scan
from shared.client import SyncAfterimageClient
from shared.events.topics import Topics, TopicSpec
from shared.replication.connection import connect
from shared.wires.kafka import KafkaServers, Mechanism
from tests.harness.credentials import Credentials
from tests.harness.secured_kafka import SecuredKafka
from tests.harness.secured_redis import SecuredRedis
from tests.harness.secured_service import SecuredService
from tests.harness.service import PHOTOS
from tests.harness.workers import WorkerProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.durable,
    # aiokafka ends a connection with TLS without waiting for the other end to do so, and the loop may be gone by then.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMESPACE = "shop"
TOPICS = Topics(NAMESPACE)
FIRST = sorted((PHOTOS / "energy").iterdir())
THEN = sorted((PHOTOS / "fish").iterdir())[:4]
PATIENCE_S = 90.0

UPLOADED, FEATURES, REJECTED = TOPICS.uploaded, TOPICS.features, TOPICS.rejected
INDEXED, REQUESTS, REPLIES = TOPICS.indexed, TOPICS.requests, TOPICS.replies

READS: dict[str, set[str]] = {
    "extractor": {UPLOADED},
    "indexer": {FEATURES},
    "searcher": {REQUESTS, FEATURES},
    "gateway": {REPLIES, INDEXED, REJECTED},
    "client": {REPLIES, INDEXED, REJECTED},
    "uploader": set(),
    "operator": {REPLIES, INDEXED, REJECTED, FEATURES},
}
WRITES: dict[str, set[str]] = {
    "extractor": {UPLOADED, FEATURES, REJECTED},
    "indexer": {FEATURES, INDEXED},
    "searcher": {REPLIES},
    "gateway": {UPLOADED, REQUESTS},
    "client": {UPLOADED, REQUESTS},
    "uploader": {UPLOADED},
    "operator": {UPLOADED, REQUESTS},
}
GROUPS = {"extractor", "indexer", "searcher"}

META, LOG, OPS, WRITER = (f"{{{NAMESPACE}.s0}}:{kind}" for kind in ("meta", "log", "ops", "writer"))
CODES, COMPACTION, REPLICAS = (
    f"{{{NAMESPACE}.codes}}:1",
    f"{{{NAMESPACE}.s0}}:compaction",
    f"{{{NAMESPACE}.s0}}:replicas",
)

NOBODYS = [
    "CONFIG GET *",
    "FLUSHALL",
    "KEYS *",
    "SCAN 0",
    "ACL LIST",
    "CLIENT LIST",
    "SCRIPT FLUSH",
    "MONITOR",
    "SHUTDOWN",
    "EVAL return(1) 0",
    "HMGET {s0}:meta head",
    "HMGET {other.s0}:meta head",
]
REFUSED = {
    "extractor": [f"HMGET {META} head", f"XRANGE {LOG} - +", f"SET {WRITER} x", f"GET {WRITER}", f"PUBLISH {OPS} x"],
    "indexer": [f"SET {CODES} x", f"HSET {REPLICAS} a b", f"SUBSCRIBE {OPS}", f"XRANGE {LOG} - +", "TIME"],
    "searcher": [
        f"XADD {LOG} * b x",
        f"HSET {META} head 9",
        f"DEL {LOG}",
        f"PUBLISH {OPS} x",
        f"GET {CODES}",
        f"EVALSHA {'0' * 40} 1 {META}",
        "SUBSCRIBE other",
    ],
    "gateway": [f"XADD {LOG} * b x", f"SET {WRITER} x", f"HMGET {META} head", f"SET {COMPACTION} x", f"GET {CODES}"],
    "operator": [f"XADD {LOG} * b x", f"SET {WRITER} x", f"HSET {META} head 9", f"DEL {COMPACTION}", f"GET {CODES}"],
}


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials.make(tmp_path_factory.mktemp("credentials"), NAMESPACE)


@pytest.fixture(scope="module")
def kafka(credentials: Credentials, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(tmp_path_factory.mktemp("kafka"), credentials) as broker:
        broker.give_rights(by_tool=["uploader", "searcher"])
        yield broker


@pytest.fixture(scope="module")
def redis(credentials: Credentials, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    with SecuredRedis(tmp_path_factory.mktemp("redis"), credentials) as server:
        yield server


def test_each_worker_does_its_work_with_its_own_rights_and_again_after_a_restart(
    kafka: SecuredKafka, redis: SecuredRedis, credentials: Credentials, tmp_path: Path
) -> None:
    """First with passwords, then on what that has left, with certificates."""
    env = {
        "AFTERIMAGE_SEGMENT_STORE": str(tmp_path / "store"),
        "INDEXER_SEAL_ROWS": "3",
        "INDEXER_RETENTION": "52w",
    }
    servers = kafka, redis, credentials
    with SecuredService(*servers, by="password", folder=tmp_path / "passwords", env=env) as service:
        upload_and_find(service, FIRST)
        service.run("compact", "--timeout", "60")
        service.run("status")
    with SecuredService(*servers, by="certificate", folder=tmp_path / "certificates", env=env) as service:
        find(service, FIRST[0])  # of the segments, the log and Kafka: nobody has uploaded it again
        upload_and_find(service, THEN)
        assert {each["verdict"] for each in json.loads(service.run("verify", "--json"))} == {"same"}
        service.run("search", str(THEN[0]), user="client")
    security = credentials.security("client")
    with SyncAfterimageClient(kafka.by_password, security=security, namespace=NAMESPACE) as client:
        assert client.delete(FIRST[0].name).source.offset >= 0
    assert kafka.refused() == []
    assert asyncio.run(redis.refused()) == []


def test_the_printed_commands_have_given_the_rights_that_are_there_and_no_others(kafka: SecuredKafka) -> None:
    """Some by Kafka's own tool, which others are read from the same lines as: both come to the same."""
    assert len(kafka.rights) > 40
    assert kafka.rights_now() == kafka.rights


@pytest.mark.parametrize("user", READS)
async def test_nobody_reads_writes_or_makes_a_topic_but_their_own(
    kafka: SecuredKafka, credentials: Credentials, topics: frozenset[str], user: str
) -> None:
    servers = KafkaServers(kafka.by_password, credentials.security(user))
    topic = min(READS[user] or WRITES[user])
    async with RecordProducer(servers, client_id="test") as producer:
        assert {topic for topic in topics if await may_write(producer, topic)} == WRITES[user]
    assert {group for group in GROUPS if await may_join(servers, topic, group)} == GROUPS & {user}
    async with Cluster(servers) as cluster:
        assert {topic for topic in topics if await may_read(servers, cluster, topic)} == READS[user]
        own = [spec for spec in TOPICS.specs(2) if user == "operator"]
        assert await cluster.create_topics(own) == []
        with pytest.raises(BusRefused, match=rf"gives the user {NAMESPACE}.afterimage.{user} no right"):
            await cluster.create_topics([TopicSpec(name=f"{NAMESPACE}.images.other", partitions=1, config={})])
        deleted = await cluster._admin.delete_topics([FEATURES])
        assert for_code(deleted.topic_error_codes[0][1]) in NO_RIGHT
    assert any(credentials.name(user) in refusal for refusal in kafka.refused())


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_user_comes_in_by_each_mechanism(
    kafka: SecuredKafka, credentials: Credentials, topics: frozenset[str], mechanism: Mechanism
) -> None:
    security = dataclasses.replace(credentials.security("uploader"), mechanism=mechanism)
    async with RecordProducer(KafkaServers(kafka.by_password, security), client_id="test") as producer:
        assert await may_write(producer, UPLOADED)


@pytest.mark.parametrize("user", REFUSED)
async def test_nobody_does_in_redis_what_is_not_theirs(redis: SecuredRedis, user: str) -> None:
    async with connect(redis.address(user)) as client:
        for command in [*NOBODYS, *REFUSED[user]]:
            with pytest.raises(NoPermissionError):
                await client.execute_command(*command.split())
    assert any(refusal.startswith(f"{NAMESPACE}.afterimage.{user}: ") for refusal in await redis.refused())


def test_a_worker_that_is_refused_says_by_whom_and_why_and_ends(
    kafka: SecuredKafka, redis: SecuredRedis, credentials: Credentials, tmp_path: Path
) -> None:
    own = credentials.by_password("indexer")
    (tmp_path / "wrong").write_text("wrong", encoding="utf-8")
    cases = {
        "kafka-password": (
            {**own, "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "wrong")},
            f"Kafka at {kafka.by_password} does not let the user {NAMESPACE}.afterimage.indexer in",
        ),
        "kafka-authority": (
            {**own, "KAFKA_SSL_CA": ""},
            f"Kafka at {kafka.by_password} shows a certificate that is not to be trusted",
        ),
        "redis-password": (
            {**own, "REDIS_PASSWORD_FILE": str(tmp_path / "wrong")},
            f"Redis at {redis.url} does not let the user {NAMESPACE}.afterimage.indexer in",
        ),
        "topic": (credentials.by_password("extractor"), f"looking for the topic {INDEXED}: Kafka at"),
        "group": (
            credentials.by_password("operator"),
            f"gives the user {NAMESPACE}.afterimage.operator no right to do that ([Error 30] GroupAuthorizationFailed",
        ),
    }
    workers = {
        name: WorkerProcess(
            "indexer",
            bootstrap_servers=kafka.by_password,
            redis_url=redis.url,
            folder=tmp_path,
            env={"AFTERIMAGE_NAMESPACE": NAMESPACE, **env},
            name=name,
        )
        for name, (env, _) in cases.items()
    }
    for worker in workers.values():
        worker.spawn()
    try:
        for name, (_, told) in cases.items():
            assert workers[name].wait_ended(60) == 2, workers[name].tail()
            assert told in workers[name].tail()
            assert "Traceback" not in workers[name].tail(10_000)
    finally:
        for worker in workers.values():
            worker.kill()


def test_a_worker_that_may_start_and_not_work_is_not_ready_and_says_why(
    kafka: SecuredKafka, redis: SecuredRedis, credentials: Credentials, topics: frozenset[str], tmp_path: Path
) -> None:
    stranger = {name: value for name, value in credentials.by_password("searcher").items() if name.startswith("REDIS")}
    (tmp_path / "wrong").write_text("wrong", encoding="utf-8")
    cases = {
        "indexer": (stranger, "deploy/redis/users.acl has who may what"),
        "gateway": ({"KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "wrong")}, "KAFKA_SASL_PASSWORD is wrong"),
    }
    for user, (env, told) in cases.items():
        worker = WorkerProcess(
            user,
            bootstrap_servers=kafka.by_password,
            redis_url=redis.url,
            folder=tmp_path,
            env={"AFTERIMAGE_NAMESPACE": NAMESPACE, **credentials.by_password(user), **env},
        )
        worker.spawn()
        try:
            said = wait_for(lambda url=worker.url: not_ready(url), contains=told)
            assert said.status_code == 503
            assert worker.alive
        finally:
            worker.stop()


@pytest.fixture(scope="module")
def topics(kafka: SecuredKafka, credentials: Credentials) -> frozenset[str]:
    """All that there are, with a record on each."""

    async def fill() -> None:
        admin = KafkaServers(kafka.by_password, credentials.security("admin"))
        async with Cluster(admin) as cluster:
            await cluster.create_topics(TOPICS.specs(2))
        async with RecordProducer(admin, client_id="test") as producer:
            for topic in names:
                await producer.send(topic, key=b"probe", value=b"probe", partition=0)

    names = frozenset({*TOPICS.pipeline(), REPLIES})
    asyncio.run(fill())
    return names


def upload_and_find(service: SecuredService, photos: Sequence[Path]) -> None:
    with httpx.Client(base_url=service.gateway.url, timeout=60) as http:
        for photo in photos:
            uploaded = http.post("/images?wait=60", json={"id": photo.name, "uri": photo.as_uri()})
            assert (uploaded.status_code, uploaded.json().get("effect")) == (200, "indexed"), uploaded.text
        with http.stream("GET", "/live") as events:  # which asks Kafka and Redis how far everybody is
            assert next(line for line in events.iter_lines() if '"to_index":' in line or '"problem":"Kafka' in line)
    for photo in photos[:2]:
        find(service, photo)


def find(service: SecuredService, photo: Path) -> None:
    found = httpx.get(f"{service.gateway.url}/search", params={"id": photo.name}, timeout=60)
    assert found.status_code == 200, found.text
    assert found.json()["hits"][0]["id"] == photo.name


async def may_write(producer: RecordProducer, topic: str) -> bool:
    try:
        await producer.send(topic, key=b"probe", value=b"probe", partition=0)
    except BusRefused:
        return False
    return True


async def may_read(servers: KafkaServers, cluster: Cluster, topic: str) -> bool:
    """As all do: who may not even know the topic is told so at once, and by aiokafka's consumers after 40 seconds."""
    try:
        await cluster.partitions(topic)
        return [step async for step in scan(servers, topic, 0)] != []
    except BusRefused:
        return False


async def may_join(servers: KafkaServers, topic: str, worker: str) -> bool:
    """Whether they may commit, for which one needs the same right: it does not wait for who else is in the group.

    topic: one that they know.
    """
    consumer = AIOKafkaConsumer(group_id=TOPICS.group(worker), enable_auto_commit=False, **servers.options())
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.commit({TopicPartition(topic, 0): 0})
    except GroupAuthorizationFailedError:
        return False
    except CommitFailedError:  # members that were killed still count
        return True
    finally:
        await consumer.stop()
    return True


def wait_for(ask: Callable[[], httpx.Response | None], *, contains: str) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask()) is None or contains not in answer.text:
        assert time.monotonic() < deadline, answer and answer.text
        time.sleep(0.1)
    return answer


def not_ready(url: str) -> httpx.Response | None:
    try:
        return httpx.get(f"{url}/readyz", timeout=5)
    except httpx.TransportError:
        return None
