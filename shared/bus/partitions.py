"""Which partition a key belongs to: murmur2, as Kafka's own clients compute it, so that one id has one clock."""

from aiokafka.partitioner import murmur2


def partition_of(image_id: str, partitions: int) -> int:
    """The partition of `image_id` on a topic of that many partitions."""
    return int(murmur2(image_id.encode()) & 0x7FFFFFFF) % partitions
