"""Part 1: the extractor's rate through Kafka, against the model on tensors in memory and against decoding alone."""

import asyncio
import time

from benchmarks.bare import BATCH, BareExtraction
from benchmarks.features import FeatureWatch
from benchmarks.photos import cycled
from benchmarks.plan import Plan
from benchmarks.table import Measured, Part, counted, median_ratio
from benchmarks.worker_metrics import WorkerMetrics
from shared.client import AfterimageClient
from tests.harness.workers import WorkerProcess

_ROUND_WITHIN_S = 240.0


async def measure(
    plan: Plan, bare: BareExtraction, client: AfterimageClient, watch: FeatureWatch, extractor: WorkerProcess
) -> Part:
    """Each round measures all three, one after another, so that a machine that changes its pace changes it for all."""
    files = cycled(plan.round_images)
    images = [bare.decode(data) for data in files]
    await _stream(client, watch, extractor, files[: 2 * BATCH], round_name="warm-up")
    bare.model_rate(images[: 2 * BATCH])
    metrics = WorkerMetrics(extractor)
    batches, batched = metrics.total("afterimage_extractor_batch_images_count"), len(watch)

    model, decoding, pipeline = [], [], []
    for number in counted("extractor", plan.rounds):
        model.append(bare.model_rate(images))
        decoding.append(bare.decode_rate(files))
        pipeline.append(await _stream(client, watch, extractor, files, round_name=str(number)))
    batches = metrics.total("afterimage_extractor_batch_images_count") - batches
    limit = [min(pair) for pair in zip(model, decoding, strict=True)]
    return Part(
        title="1. Extractor",
        unit="images/s",
        rows=[
            Measured(name="bare model", values=model, note=f"tensors in memory, batches of {BATCH}"),
            Measured(name="decoding alone", values=decoding),
            Measured(name="limit", values=limit, note="the smaller of the two"),
            Measured(name="extractor", values=pipeline, note="images.uploaded → images.features"),
        ],
        ratios={
            "extractor_over_bare_model": median_ratio(pipeline, model),
            "extractor_over_limit": median_ratio(pipeline, limit),
        },
        notes=[
            "a ratio is the median of the rounds' ratios",
            f"the extractor's batches held {(len(watch) - batched) / batches:.1f} images on average",
        ],
    )


async def _stream(
    client: AfterimageClient, watch: FeatureWatch, extractor: WorkerProcess, files: list[bytes], *, round_name: str
) -> float:
    """Images a second, from a topic that holds them all to the last feature record heard.

    The extractor is frozen while the topic is filled: what producing costs is not its own.
    """
    watch.expect(len(files))
    extractor.pause()
    try:
        async with asyncio.TaskGroup() as uploads:
            for number, data in enumerate(files):
                uploads.create_task(client.upload(f"{round_name}-{number}", data=data))
    finally:
        extractor.resume()
    started = time.perf_counter()
    return len(files) / (await watch.all_heard(within_s=_ROUND_WITHIN_S) - started)
