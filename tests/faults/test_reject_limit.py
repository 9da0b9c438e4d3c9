"""An extractor whose folder is missing stops, loudly, before it has rejected the whole topic."""

import asyncio
from pathlib import Path

import pytest

from shared.events.upload_forms import UploadImage
from tests.harness.extraction import Extraction
from tests.harness.kafka import Broker
from tests.harness.service import PHOTOS

LIMIT = 10
PHOTO = PHOTOS / "animal" / "panda.webp"
UPLOADS = [UploadImage(id=f"image-{number}", uri=PHOTO.as_uri()) for number in range(60)]


@pytest.mark.slow
async def test_an_extractor_without_its_folder_stops_at_the_limit_and_leaves_the_rest_for_later(
    kafka: Broker, unique_namespace: str, tmp_path: Path
) -> None:
    def extraction(**env: str) -> Extraction:
        return Extraction(
            bootstrap_servers=kafka.bootstrap_servers,
            namespace=unique_namespace,
            folder=tmp_path,
            env={"EXTRACTOR_MAX_CONSECUTIVE_REJECTS": str(LIMIT), **env},
        )

    broken = extraction()
    await broken.create_topics()
    await broken.send(UPLOADS)
    broken.worker.spawn()
    assert await asyncio.to_thread(broken.worker.wait_ended, 60) != 0
    broken.worker.stop()

    first = await broken.outcomes()
    assert not first.encoded
    assert list(first.rejected.values()) == [["uri_not_allowed"]] * LIMIT
    assert await broken.committed() <= LIMIT
    [said] = [line for line in broken.log().splitlines() if "reject_limit_reached" in line]
    assert "critical" in said
    assert "AFTERIMAGE_FILE_ROOTS" in said
    assert "afterimage redrive --reason uri_not_allowed" in said

    mended = extraction(AFTERIMAGE_FILE_ROOTS=str(PHOTOS))
    async with asyncio.timeout(60):
        with mended.worker:
            after = await mended.all_dealt_with(len(UPLOADS))
    assert after.encoded.keys() >= {upload.id for upload in UPLOADS} - first.rejected.keys()
    assert after.rejected == first.rejected
