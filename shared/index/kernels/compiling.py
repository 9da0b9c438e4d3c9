"""How a function is compiled: at its first call, and once for all later processes where that can be kept."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import config, njit

P = ParamSpec("P")
R = TypeVar("R")

_FOLDER = Path(__file__).parent
_SOURCES = blake2b(b"\0".join(path.read_bytes() for path in sorted(_FOLDER.glob("*.py"))), digest_size=8).hexdigest()


UNCOUNTED = {"_nrt": False}
"""Options of a function that allocates no array. Numba then does not count who holds those that it is given, by atomic
additions at each call, which take four times as long as comparing two codes of 256 bytes."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile without Python's lock. What was compiled is kept beside the source, or in NUMBA_CACHE_DIR."""
    return _compiled(function, {})


def compiled_leaf(function: Callable[P, R]) -> Callable[P, R]:
    """Compile, in the same way, a function that allocates no array: see UNCOUNTED."""
    return _compiled(function, UNCOUNTED)


def _compiled(function: Callable[P, R], options: dict[str, bool]) -> Callable[P, R]:
    """Keep the result in a folder that is named for all the sources.

    Numba itself compiles anew only when the function's own file changed, not when that of a function did that it calls.
    """
    given = config.CACHE_DIR
    config.CACHE_DIR = str(Path(given or _FOLDER / "__pycache__") / f"kernels-{_SOURCES}")
    try:
        return cast("Callable[P, R]", njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:  # nothing can be written anywhere: a read-only container compiles at each start
        return cast("Callable[P, R]", njit(nogil=True, **options)(function))
    finally:
        config.CACHE_DIR = given
