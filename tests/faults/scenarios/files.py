"""Bits flip in the files of the segment store."""

import asyncio
import random
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from tests.faults.chance import chance
from tests.faults.figures import Figures, PromiseBroken
from tests.faults.judging import judge
from tests.faults.scenarios.disk import sealed_beyond
from tests.faults.site import Site
from tests.faults.stored import StoredShard, stored_shards

_PER_S = 200
_PATIENCE_S = 60.0


async def bits_flip(site: Site, *, seed: int, seconds: float) -> Figures:
    """One bit at a time in each file of the newest manifests, in a copy; then in the store that the workers have.

    Of that they come back after all of them have died and Redis has forgotten everything.
    """
    rng, flipped = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S), asyncio.timeout(_PATIENCE_S):
        await sealed_beyond(site, {})
    with TemporaryDirectory() as folder:
        site.service.indexer.pause()  # so that the store is at one moment what it is in the copy
        copy = shutil.copytree(site.store, Path(folder) / "store")
        site.service.indexer.resume()
        while not flipped or time.monotonic() < ends_at:
            for shard in stored_shards(copy):
                flipped += await asyncio.to_thread(flip_each, shard, rng)
    for worker in site.service.workers:
        await asyncio.to_thread(worker.kill)
    async with Redis.from_url(site.redis.url) as redis:
        await redis.flushall()
    for shard in stored_shards(site.store):
        flip(rng.choice(shard.files(shard.manifests()[0])), rng)
        flipped += 1
    for worker in site.service.workers:
        worker.spawn()
    for worker in site.service.workers:
        await asyncio.to_thread(worker.wait_ready)
    healing_s = await judge(site, healed_at=time.monotonic())
    return Figures(faults=flipped, flipped_bits=flipped, longest_healing_s=healing_s)


def flip_each(shard: StoredShard, rng: random.Random) -> int:
    """Flip a bit in each file of the newest manifest, and back. Returns how many bits, each of which was noticed."""
    manifests = shard.manifests()
    files = shard.files(manifests[0])
    for path in files:
        whole = [manifest.position for manifest in manifests if path not in shard.files(manifest)]
        undamaged = path.read_bytes()
        flip(path, rng)
        if (served := shard.position()) != max(whole, default=-1):
            raise PromiseBroken(
                f"with a bit flipped in {path}, position {served} is served, and those are whole: {whole}",
                Figures(flipped_bits=1, flipped_bits_accepted=1),
            )
        path.write_bytes(undamaged)
    return len(files)


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
