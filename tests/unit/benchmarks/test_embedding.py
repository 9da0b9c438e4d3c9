"""What the extractor is compared with does the same work."""

import torch

from benchmarks.bare import BareExtraction
from benchmarks.extract.embedding import EmbeddingModel
from benchmarks.extract.pictures import small_webps

PHOTOS = 6


def test_the_model_of_the_peers_sees_nearly_the_same_in_a_photo_as_the_extractor() -> None:
    """Nearly: the peers scale with torchvision in two steps, and the extractor in one."""
    ours, theirs = BareExtraction(threads=1), EmbeddingModel(1, "torch")
    for photo in small_webps().files[:PHOTOS]:
        vector = torch.tensor(ours.vector(photo.read_bytes()))
        [other] = theirs.embed(theirs.load(photo)[None])
        assert torch.dot(vector, other) > 0.97, photo.name
