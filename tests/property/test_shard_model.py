"""The shard against its model, in the formats that codes have."""

import numpy as np

from shared.index.codebook import WORDS, Codebook
from shared.index.vectors import VectorFormat
from tests.property.effort import effort
from tests.property.shard.machine import ShardMachine


class FloatMachine(ShardMachine):
    vector_format = VectorFormat("f32", "cos")


class EuclideanMachine(ShardMachine):
    vector_format = VectorFormat("f32", "l2sq")


class CodewordsMachine(ShardMachine):
    """A byte names the number that it is as an int8, so numbers are coded without loss."""

    vector_format = VectorFormat(
        "pq",
        "cos",
        Codebook(words=np.tile(np.arange(WORDS).astype(np.int8).astype(np.float32), (4, 1))[..., None], residual=False),
    )

    def code(self, numbers: tuple[int, ...]) -> bytes:
        return np.array(numbers, np.int8).tobytes()


TestShard = ShardMachine.TestCase
TestShardOfFloats = FloatMachine.TestCase
TestShardByDistance = EuclideanMachine.TestCase
TestShardOfCodewords = CodewordsMachine.TestCase
TestShardOfCodewords.settings = effort(examples=20)
TestShard.settings = TestShardOfFloats.settings = TestShardByDistance.settings = effort(examples=40)
