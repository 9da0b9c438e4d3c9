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


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile without Python's lock. What was compiled is kept beside the source, or in NUMBA_CACHE_DIR.

    In a folder named for all the sources, because Numba itself compiles anew only when the function's own file changed,
    and not when that of a function did that it calls.
    """
    given = config.CACHE_DIR
    config.CACHE_DIR = str(Path(given or _FOLDER / "__pycache__") / f"kernels-{_SOURCES}")
    try:
        return cast("Callable[P, R]", njit(nogil=True, cache=True)(function))
    except RuntimeError:  # nothing can be written anywhere: a read-only container compiles at each start
        return cast("Callable[P, R]", njit(nogil=True)(function))
    finally:
        config.CACHE_DIR = given
