"""Each picture is searched for among the others, by its real bytes."""

import numpy as np
import pytest
from PIL import Image

from shared.evaluation.baselines import BASELINES
from shared.evaluation.leave_one_out import CodedPictures, leave_one_out
from shared.index.vectors import VectorFormat


def coded(vectors: list[list[float]]) -> CodedPictures:
    codes = np.array(vectors, np.float32).view(np.uint8)
    return CodedPictures(codes=codes, queries=codes, vector_format=VectorFormat("f32", "cos"))


def test_a_picture_never_finds_itself_and_one_alone_in_its_class_is_no_query() -> None:
    judged = leave_one_out(coded([[1, 0], [1, 0.1], [0, 1], [1, 0.2], [-1, 0]]), [0, 0, 1, 1, 2])
    assert judged.quality.average_precision == pytest.approx([1, 1 / 2, 1, 1 / 3])
    assert judged.quality.hit_at[1].tolist() == [1, 0, 1, 0]
    assert judged.first_hits.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_classes_of_one_picture_each_are_refused() -> None:
    with pytest.raises(ValueError, match="no class has two pictures"):
        leave_one_out(coded([[1, 0], [0, 1]]), [0, 1])


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_a_baseline_finds_a_smaller_copy_first(name: str) -> None:
    code_of, vector_format = BASELINES[name]
    generator = np.random.default_rng(0)
    images, labels = [], []
    for label in range(6):
        pixels = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).resize((256, 256), Image.Resampling.NEAREST)
        images += [image, image.resize((192, 192), Image.Resampling.BILINEAR)]
        labels += [label, label]
    codes = np.stack([code_of(image) for image in images])
    judged = leave_one_out(CodedPictures(codes=codes, queries=codes, vector_format=vector_format), labels)
    assert judged.quality.hit_at[1].mean() == 1
