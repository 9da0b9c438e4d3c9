"""The server of the peer LitServe: ``python -m benchmarks.extract.litserve_app PORT THREADS BACKEND``."""

import argparse

import litserve
import torch
from fastapi import Response, UploadFile
from torch import Tensor

from benchmarks.bare import BATCH
from benchmarks.extract.embedding import EmbeddingModel
from services.cli.stack.ports import LOOPBACK

_GATHER_S = 0.01


class EmbeddingApi(litserve.LitAPI):
    """POST /predict with a form field `request`; answers with the vector, float32."""

    def __init__(self, threads: int, backend: str) -> None:
        super().__init__(max_batch_size=BATCH, batch_timeout=_GATHER_S)
        self._threads = threads
        self._backend = None if backend == "same" else backend

    def setup(self, device: object) -> None:  # noqa: ARG002 - where it computes is in the settings of the encoder
        self._model = EmbeddingModel(self._threads, self._backend)

    def decode_request(self, request: UploadFile) -> Tensor:
        return self._model.load(request.file)

    def batch(self, inputs: list[Tensor]) -> Tensor:
        return torch.stack(inputs)

    def predict(self, batch: Tensor) -> Tensor:
        return self._model.embed(batch)

    def unbatch(self, output: Tensor) -> list[Tensor]:
        return list(output)

    def encode_response(self, output: Tensor) -> Response:
        return Response(output.numpy().tobytes(), media_type="application/octet-stream")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("backend")
    options = parser.parse_args()
    server = litserve.LitServer(
        EmbeddingApi(threads=1, backend=options.backend),
        accelerator="cpu",
        workers_per_device=options.threads,  # its documentation: for the CPU, as many as cores
    )
    server.run(host=LOOPBACK, port=options.port, num_api_servers=1, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
