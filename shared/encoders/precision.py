"""How exactly an encoder computes."""

from types import MappingProxyType
from typing import Literal

Precision = Literal["exact", "fast"]
"""`exact` is float32 on every host. `fast` is whatever format is fastest on each, so that vectors of two hosts may
differ by more than rounding. It is a part of the scheme: codes of the two never meet in one index."""

NumberFormat = Literal["f32", "bf16", "f16", "i8"]
"""What a network computes in. Its vectors are float32; so are its weights, but for `i8`, which is a file of its own."""

MIN_COSINE: MappingProxyType[NumberFormat, float] = MappingProxyType({"f32": 0.9999, "bf16": 0.99, "f16": 0.99})
"""Between a vector and what torch makes of the same image in float32: below this, an encoder is not believed."""
