"""The embedded broker: how it is found, and that it is a broker."""

import os
import stat
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.cli.stack.broker import broker_binary, broker_command
from tests.harness.kafka import EmbeddedBroker


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_binary_is_copied_once_and_only_into_the_cache(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    binary = broker_binary()
    copied_at = binary.stat().st_mtime_ns
    assert binary.is_relative_to(empty_cache)
    assert os.access(binary, os.X_OK)
    assert broker_binary() == binary
    assert binary.stat().st_mtime_ns == copied_at
    assert [path.name for path in binary.parent.iterdir()] == [binary.name]
    assert not (tmp_path / "home").exists()


def test_a_binary_that_lost_its_exec_bit_or_its_end_is_copied_again(empty_cache: Path) -> None:
    binary = broker_binary()
    size = binary.stat().st_size
    binary.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert os.access(broker_binary(), os.X_OK)
    binary.write_bytes(b"half")
    assert broker_binary().stat().st_size == size


def test_every_start_has_a_cluster_id_of_its_own() -> None:
    first, second = (command[command.index("--cluster-id") + 1] for command in (broker_command(1), broker_command(1)))
    assert first.startswith("embedded-")
    assert first != second


async def test_the_embedded_broker_carries_records_and_forgets_them_when_it_restarts(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        cluster_ids = []
        for value in (b"first", b"second"):
            admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
            await admin.start()
            await admin.create_topics([NewTopic("photos", num_partitions=1, replication_factor=1)])
            cluster_ids.append((await admin.describe_cluster())["cluster_id"])
            await admin.close()
            async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, acks="all") as producer:
                sent = await producer.send_and_wait("photos", value)
            async with AIOKafkaConsumer(
                bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
            ) as consumer:
                consumer.assign([TopicPartition("photos", 0)])
                assert (await consumer.getone()).value == value
            assert sent.offset == 0
            broker.restart()
        assert cluster_ids[0] != cluster_ids[1]
