"""Inner products of int8 numbers by the instruction that processors have for them (VNNI), which compilers do not find.

It multiplies 64 numbers at a time and adds them up, four to a sum of 32 bits. LLVM by itself makes several steps of
that, and takes five times as long for a code of 1,280 bytes.
"""

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

_STEP = 64
_CHAINS = 2
"""A step need not wait for the result of the one before: they are added up in turn in so many places."""

_WORD = ir.IntType(64)
_SUM = ir.IntType(32)
_SUMS = ir.VectorType(_SUM, _STEP // 4)
_BYTES = ir.VectorType(ir.IntType(8), _STEP)
_HALF_WAY = ir.Constant(_SUMS, [ir.Constant(_SUM, 0x80808080)] * (_STEP // 4))
"""128 in each byte."""


def available() -> bool:
    """Whether code is compiled for a processor that has the instruction, in registers of 64 bytes."""
    if config.CPU_NAME == "generic":
        return False
    features = config.CPU_FEATURES or get_host_cpu_features().flatten()
    return "+avx512vnni" in features.split(",")


@intrinsic
def inner_of_bytes(_context, ones, first, others, other_first, length):
    """Return the inner product of `length` numbers from the place `first` of an array with those of another, as int32.

    The arrays are int8, of any shape, in C order; places, int64, are counted as if they had one dimension. A sum that
    is too large for 32 bits loses what is above them.
    """

    def generate(context, builder, signature, arguments):
        starts = [
            builder.gep(context.make_array(array_type)(context, builder, array).data, [place])
            for array_type, array, place in (
                (signature.args[0], arguments[0], arguments[1]),
                (signature.args[2], arguments[2], arguments[3]),
            )
        ]
        return _inner(builder, starts, arguments[4])

    return types.int32(ones, types.int64, others, types.int64, types.int64), generate


def _inner(builder, starts, length):
    nothing = ir.Constant(_SUMS, None)
    chains = [[cgutils.alloca_once_value(builder, nothing) for _ in range(2)] for _ in range(_CHAINS)]
    after_rounds = _less_remainder(builder, length, _CHAINS * _STEP)
    after_steps = _less_remainder(builder, length, _STEP)
    with cgutils.for_range_slice(builder, _WORD(0), after_rounds, _WORD(_CHAINS * _STEP)) as (place, _):
        for number, chain in enumerate(chains):
            at = builder.add(place, _WORD(number * _STEP))
            _add(builder, chain, *(_load(builder, start, at) for start in starts))
    with cgutils.for_range_slice(builder, after_rounds, after_steps, _WORD(_STEP)) as (place, _):
        _add(builder, chains[0], *(_load(builder, start, place) for start in starts))
    with builder.if_then(builder.icmp_unsigned("<", after_steps, length)):
        left = builder.trunc(builder.sub(length, after_steps), ir.IntType(8))
        _add(builder, chains[0], *(_load_first(builder, start, after_steps, left) for start in starts))
    total = nothing
    for products, excess in chains:
        total = builder.add(total, builder.sub(builder.load(products), builder.load(excess)))
    add_up = _function(builder, f"llvm.vector.reduce.add.v{_STEP // 4}i32", _SUM, [_SUMS])
    return builder.call(add_up, [total])


def _add(builder, chain, a, b):
    """Add the products of a step. The instruction takes the first factor as unsigned: a·b = (a + 128)·b - 128·b."""
    multiply = _function(builder, "llvm.x86.avx512.vpdpbusd.512", _SUMS, [_SUMS] * 3)
    products, excess = chain
    builder.store(builder.call(multiply, [builder.load(products), builder.xor(a, _HALF_WAY), b]), products)
    builder.store(builder.call(multiply, [builder.load(excess), _HALF_WAY, b]), excess)


def _load(builder, start, place):
    return builder.load(builder.bitcast(builder.gep(start, [place]), _SUMS.as_pointer()), align=1)


def _load_first(builder, start, place, count):
    """Load so many bytes, and zeros behind them: what lies there may be of another, or of nobody."""
    load = _function(
        builder,
        f"llvm.masked.load.v{_STEP}i8.p0",
        _BYTES,
        [_BYTES.as_pointer(), _SUM, ir.VectorType(ir.IntType(1), _STEP), _BYTES],
    )
    numbers = ir.Constant(_BYTES, list(range(_STEP)))
    counts = builder.shuffle_vector(
        builder.insert_element(ir.Constant(_BYTES, ir.Undefined), count, _SUM(0)),
        ir.Constant(_BYTES, ir.Undefined),
        ir.Constant(ir.VectorType(_SUM, _STEP), [0] * _STEP),
    )
    at = builder.bitcast(builder.gep(start, [place]), _BYTES.as_pointer())
    wanted = builder.icmp_unsigned("<", numbers, counts)
    return builder.bitcast(builder.call(load, [at, _SUM(1), wanted, ir.Constant(_BYTES, None)]), _SUMS)


def _less_remainder(builder, length, divisor):
    return builder.sub(length, builder.urem(length, _WORD(divisor)))


def _function(builder, name, result, arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)
