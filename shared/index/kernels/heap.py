"""A binary heap of rows by closeness, the closest on top, in two arrays of which the first `size` places are filled."""

from shared.index.kernels.compiling import compiled_leaf


@compiled_leaf
def push(closenesses, rows, size, closeness, row):
    """Add a row, for which there must be a place."""
    place = size
    while place > 0:
        above = (place - 1) // 2
        if closenesses[above] >= closeness:
            break
        closenesses[place], rows[place] = closenesses[above], rows[above]
        place = above
    closenesses[place], rows[place] = closeness, row


@compiled_leaf
def push_within(closenesses, rows, size, limit, closeness, row):
    """Add a row, or put it in the place of the closest where there are `limit` already; return the size."""
    if size == limit:
        _replace_top(closenesses, rows, size, closeness, row)
        return size
    push(closenesses, rows, size, closeness, row)
    return size + 1


@compiled_leaf
def drop_top(closenesses, rows, size):
    """Remove the closest."""
    last = size - 1
    _replace_top(closenesses, rows, last, closenesses[last], rows[last])


@compiled_leaf
def _replace_top(closenesses, rows, size, closeness, row):
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size and closenesses[below + 1] > closenesses[below]:
            below += 1
        if closenesses[below] <= closeness:
            break
        closenesses[place], rows[place] = closenesses[below], rows[below]
        place = below
    closenesses[place], rows[place] = closeness, row
