"""Who takes part."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.bare import BATCH
from benchmarks.extract.apart import Apart
from benchmarks.extract.contender import Contender, Label
from benchmarks.extract.served import Served
from benchmarks.extract.streamed import NaiveProcess, Streamed, naive_topics
from benchmarks.stack import PARTITIONS, Stack
from benchmarks.table import say
from shared.events.topics import TopicSpec

MODEL = Label("model", "bare model", f"tensors in memory, batches of {BATCH}")
DECODING = Label("decoding", "decoding alone", "in processes, as the extractor does")
_IN_THREADS = Label("decoding_in_threads", "decoding in threads")
PIPELINE = Label("pipeline", "extractor", "images.uploaded → images.features")
_NAIVE = Label("naive", "naive handler", "FastStream, one message at a time, eager torch")
_NAIVE_SAME = Label("naive_same_backend", "naive, same backend")
_LOADER = Label("dataloader", "DataLoader", f"timm, torch's DataLoader, batches of {BATCH}, eager torch; no bus")
_LOADER_SAME = Label("dataloader_same_backend", "DataLoader, same backend")
_LITSERVE = Label("litserve", "LitServe", f"HTTP, 32 requests at once, batches of up to {BATCH}, eager torch")
_LITSERVE_SAME = Label("litserve_same_backend", "LitServe, same backend")

PARTS = (MODEL, DECODING, _IN_THREADS)
"""All but these are alternatives to the extractor."""

_TORCH, _SAME = "torch", "same"
_HERE = "benchmarks.extract"


def topics() -> list[TopicSpec]:
    """What the naive handlers need beside the service's own topics."""
    names = [name for backend in (_TORCH, _SAME) for name in naive_topics(backend)]
    return [TopicSpec(name=name, partitions=PARTITIONS, config={}) for name in names]


async def open_lineup(stack: Stack, threads: int, resources: AsyncExitStack) -> list[Contender]:
    """Start all contenders, and freeze each when it is ready, so that only one at a time uses the machine."""
    apart = [
        Apart(f"{_HERE}.{work}", label=label, threads=threads, folder=stack.folder)
        for label, work in (
            (MODEL, "parts:BareModel"),
            (DECODING, "parts:DecodingInProcesses"),
            (_IN_THREADS, "parts:DecodingInThreads"),
            (_LOADER, "dataloader:TorchDataLoader"),
            (_LOADER_SAME, "dataloader:SameBackendDataLoader"),
        )
    ]
    served = [
        Served(backend, label=label, threads=threads, folder=stack.folder)
        for label, backend in ((_LITSERVE, _TORCH), (_LITSERVE_SAME, _SAME))
    ]
    streamed = await _streamed(stack, threads)
    for each in streamed:
        await resources.enter_async_context(each)
    contenders: list[Contender] = [*apart[:3], *streamed, *apart[3:], *served]
    await asyncio.to_thread(_start, [each for each in contenders if each.label is not PIPELINE], resources)
    return contenders


async def _streamed(stack: Stack, threads: int) -> list[Streamed]:
    [extractor] = await asyncio.to_thread(stack.start, "extractor")
    extractor.pause()
    pipeline = Streamed(
        extractor,
        label=PIPELINE,
        bootstrap_servers=stack.bootstrap_servers,
        uploads=stack.topics.uploaded,
        features=stack.topics.features,
    )
    naive = [
        Streamed(
            NaiveProcess(backend, bootstrap_servers=stack.bootstrap_servers, threads=threads, folder=stack.folder),
            label=label,
            bootstrap_servers=stack.bootstrap_servers,
            uploads=uploads,
            features=features,
        )
        for label, backend in ((_NAIVE, _TORCH), (_NAIVE_SAME, _SAME))
        for uploads, features in [naive_topics(backend)]
    ]
    return [pipeline, *naive]


def _start(contenders: Sequence[Contender], resources: AsyncExitStack) -> None:
    for contender in contenders:
        resources.callback(contender.daemon.stop)
        contender.daemon.spawn()
    for contender in contenders:
        say(f"starting: {contender.label.name}")
        contender.daemon.wait_ready()
        contender.daemon.pause()
