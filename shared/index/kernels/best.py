"""The best rows found so far, best first, in two arrays of which the first `count` places are filled."""

from shared.index.kernels.compiling import compiled_leaf


@compiled_leaf
def keep(scores, rows, count, limit, score, row):
    """Put a row in its place, behind those that score the same, if it is among the best `limit`; return the count.

    The worst is pushed out where the places do not suffice.
    """
    if count == limit:
        if not score > scores[count - 1]:
            return count
    else:
        count += 1
    place = count - 1
    while place > 0 and scores[place - 1] < score:
        scores[place], rows[place] = scores[place - 1], rows[place - 1]
        place -= 1
    scores[place], rows[place] = score, row
    return count
