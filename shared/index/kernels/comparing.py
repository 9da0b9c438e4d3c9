"""How two codes are compared: exactly, for a score, and roughly, to find the way in a graph.

What kind of code it is follows from the type of the array: int8, float32, uint16 for halves of a float32, and uint8 for
eight signs each; or for the names of codewords, where the query is float32: a table of its products with all of them.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from shared.index.kernels import byte_products
from shared.index.kernels.agreed import SQUARED_EUCLIDEAN
from shared.index.kernels.byte_products import inner_of_bytes
from shared.index.kernels.compiling import UNCOUNTED

_SUMS = {"fastmath": {"reassoc", "contract", "nsz"}, **UNCOUNTED}
"""Lets sums be taken in as many parts as a register holds; the order is the same for every row."""


def similarity(codes, scales, row, query, of_query, metric):
    """Score a row, as float32: the cosine, minus the squared distance, or minus the bits that differ.

    of_query: the query's own `squared`. scales: float32 (rows,), what `closeness` is multiplied by where rows name
    codewords; looked at there only.
    """
    raise NotImplementedError


def closeness(codes, row, query):
    """Return the inner product of two int8 codes, or with what codewords stand for, or minus the bits that differ.

    As float32.
    """
    raise NotImplementedError


def squared(codes, row):
    """Return the inner product of a row with itself, as float64."""
    raise NotImplementedError


@intrinsic
def _bits_set(_context, value):
    def generate(_context, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint8(value), generate


@intrinsic
def _half(_context, bits):
    """Read the 16 bits of a half as the float32 that it stands for."""

    def generate(_context, builder, _signature, arguments):
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(bits), generate


@overload(similarity, jit_options=UNCOUNTED)
def _similarity(codes, scales, row, query, of_query, metric):
    if codes.dtype is types.uint8 and query.dtype is types.float32:

        def of_codewords(codes, scales, row, query, of_query, metric):
            return closeness(codes, row, query) * scales[row]

        return of_codewords
    if codes.dtype is types.uint8:

        def of_signs(codes, scales, row, query, of_query, metric):
            return closeness(codes, row, query)

        return of_signs

    def of_numbers(codes, scales, row, query, of_query, metric):
        if metric == SQUARED_EUCLIDEAN:
            return np.float32(-_squared_distance(codes, row, query))
        product = squared(codes, row) * of_query
        return np.float32(_inner(codes, row, query) / math.sqrt(product)) if product > 0.0 else np.float32(0.0)

    return of_numbers


@overload(closeness, jit_options=_SUMS)
def _closeness(codes, row, query):
    if codes.dtype is types.uint8 and query.dtype is types.float32:

        def of_codewords(codes, row, query):
            total = np.float32(0.0)
            for place in range(codes.shape[1]):
                total += query[256 * place + codes[row, place]]
            return total

        return of_codewords
    if codes.dtype is types.uint8:

        def of_signs(codes, row, query):
            differing = np.int32(0)
            for place in range(query.shape[0]):
                differing = np.int32(differing + _bits_set(codes[row, place] ^ query[place]))
            return np.float32(-differing)

        return of_signs

    def of_numbers(codes, row, query):
        return np.float32(_inner(codes, row, query))

    return of_numbers


@overload(squared, jit_options=_SUMS)
def _squared(codes, row):
    if codes.dtype is types.uint8:
        return lambda codes, row: np.float64(codes.shape[1])
    if _by_instruction(codes):

        def of_bytes(codes, row):
            start = np.int64(row * codes.shape[1])
            return np.float64(inner_of_bytes(codes, start, codes, start, codes.shape[1]))

        return of_bytes
    number, summed = _arithmetic(codes)

    def of_numbers(codes, row):
        total = summed(0)
        for place in range(codes.shape[1]):
            total = summed(total + number(codes[row, place]) * number(codes[row, place]))
        return np.float64(total)

    return of_numbers


def _inner(codes, row, query):
    raise NotImplementedError


def _squared_distance(codes, row, query):
    raise NotImplementedError


@overload(_inner, jit_options=_SUMS)
def _inner_product(codes, row, query):
    if _by_instruction(codes, query):

        def of_bytes(codes, row, query):
            return inner_of_bytes(codes, np.int64(row * codes.shape[1]), query, np.int64(0), codes.shape[1])

        return of_bytes
    number, summed = _arithmetic(codes)

    def of_numbers(codes, row, query):
        total = summed(0)
        for place in range(query.shape[0]):
            total = summed(total + number(codes[row, place]) * number(query[place]))
        return total

    return of_numbers


@overload(_squared_distance, jit_options=_SUMS)
def _squared_euclidean_distance(codes, row, query):
    if _by_instruction(codes, query):

        def of_bytes(codes, row, query):
            start, zero, length = np.int64(row * codes.shape[1]), np.int64(0), codes.shape[1]
            own = inner_of_bytes(codes, start, codes, start, length)
            others = inner_of_bytes(query, zero, query, zero, length)
            return np.int32(own + others - 2 * inner_of_bytes(codes, start, query, zero, length))

        return of_bytes
    number, summed = _arithmetic(codes)

    def of_numbers(codes, row, query):
        total = summed(0)
        for place in range(query.shape[0]):
            step = summed(number(codes[row, place]) - number(query[place]))
            total = summed(total + step * step)
        return total

    return of_numbers


def _by_instruction(*arrays):
    """Whether all are int8 numbers in C order, and the processor has an instruction for these."""
    return byte_products.available() and all(array.dtype is types.int8 and array.layout == "C" for array in arrays)


def _arithmetic(codes):
    """Return how one number of the codes is read, and the type that sums of them are cut to at each step.

    Bytes are multiplied in pairs by LLVM only where there is one sum in a loop, and it is cut to 32 bits each time.
    """
    if codes.dtype is types.int8:
        return np.int32, np.int32
    return (_half if codes.dtype is types.uint16 else np.float32), np.float32
