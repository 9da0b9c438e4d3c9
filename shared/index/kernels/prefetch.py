"""Asking for memory before it is needed: a walk in a graph waits for nothing else."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from shared.index.kernels.compiling import compiled_leaf

_LINE_BYTES = 64
_READ, _KEEP, _DATA = 0, 3, 1


@compiled_leaf
def cache_lines(array):
    """Return how many lines a row takes, as int64."""
    return np.int64((array.shape[1] * array.itemsize + _LINE_BYTES - 1) // _LINE_BYTES)


@intrinsic
def prefetch(_context, array, row, lines):
    """Ask for the first `lines` cache lines of a row of a two-dimensional array in C order. Both are int64."""

    def generate(context, builder, signature, arguments):
        values = context.make_array(signature.args[0])(context, builder, arguments[0])
        word, byte = ir.IntType(64), ir.IntType(8).as_pointer()
        flag = ir.IntType(32)
        ask = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag]), "llvm.prefetch.p0i8"
        )
        start = builder.add(
            builder.ptrtoint(values.data, word), builder.mul(arguments[1], builder.extract_value(values.strides, 0))
        )
        with cgutils.for_range(builder, arguments[2]) as loop:
            line = builder.add(start, builder.mul(loop.index, ir.Constant(word, _LINE_BYTES)))
            builder.call(ask, [builder.inttoptr(line, byte), flag(_READ), flag(_KEEP), flag(_DATA)])

    return types.void(array, row, lines), generate
