"""What became of an upload or a delete, for whoever did not wait for it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.gateway.access.admission import Writing
from services.gateway.api.documents import PROBLEMS, UploadStatus
from services.gateway.api.uploads import Wait
from services.gateway.problems import Problem, document_of, problem_of
from shared.client import NoAnswer, UploadRejected
from shared.events.images import SourcePosition

router = APIRouter(tags=["images"], responses=PROBLEMS)

Position = Annotated[int, Path(ge=0, lt=2**63)]


@router.get("/uploads/{partition}/{offset}", summary="Learn what became of an upload", response_model=UploadStatus)
async def upload_status(visit: Writing, partition: Position, offset: Position, wait: Wait = 0.0) -> Response:
    """partition, offset: the `source` in the answer to the upload or delete.

    Every gateway knows it, for an hour at least: what it did not take itself, it reads on the bus.
    """
    sent = await visit.index.find_sent(SourcePosition(partition=partition, offset=offset))
    if sent is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "unknown_upload",
            f"there is no upload at {partition}/{offset}, or none of which was heard within an hour",
        )
    status = UploadStatus(id=sent.id, partition=partition, offset=offset, state="pending")
    try:
        searchable = await visit.index.wait_searchable(sent, timeout_s=wait)
    except NoAnswer:
        return status.response()
    except UploadRejected as error:
        problem = document_of(problem_of(error))
        return status.model_copy(update={"state": "rejected", "problem": problem}).response()
    receipt = searchable.receipt
    found = {"state": receipt.effect.value, "shard": receipt.shard, "position": receipt.position}
    return status.model_copy(update={**found, "after_s": round(searchable.after_s, 6)}).response()
