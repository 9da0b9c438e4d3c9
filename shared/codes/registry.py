"""The codes by name."""

from shared.codes.code import Code
from shared.codes.f16 import F16
from shared.codes.f32 import F32
from shared.codes.i8 import I8

_CODES: dict[str, Code] = {code.name: code for code in (F32(), F16(), I8())}


def load_code(name: str) -> Code:
    """Return the code of that name. Raises ValueError with the known names."""
    try:
        return _CODES[name]
    except KeyError:
        raise ValueError(f"there is no code {name!r}; the known codes are {', '.join(sorted(_CODES))}") from None
