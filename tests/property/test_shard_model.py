"""The shard against its model, in the formats that codes have."""

from shared.index.vectors import VectorFormat
from tests.property.effort import effort
from tests.property.shard.machine import ShardMachine


class FloatMachine(ShardMachine):
    vector_format = VectorFormat("f32", "cos")


class EuclideanMachine(ShardMachine):
    vector_format = VectorFormat("f32", "l2sq")


TestShard = ShardMachine.TestCase
TestShardOfFloats = FloatMachine.TestCase
TestShardByDistance = EuclideanMachine.TestCase
TestShard.settings = TestShardOfFloats.settings = TestShardByDistance.settings = effort(examples=40)
