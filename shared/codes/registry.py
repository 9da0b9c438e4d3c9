"""The codes by name."""

from pathlib import Path

from shared.codes.code import Code
from shared.codes.description import fitted_name, fitted_path
from shared.codes.f16 import F16
from shared.codes.f32 import F32
from shared.codes.fitted import fitted_code
from shared.codes.fitted_file import EncoderIdentity, read_fitted
from shared.codes.i8 import I8

_CODES: dict[str, Code] = {code.name: code for code in (F32(), F16(), I8())}


def load_code(setting: str, encoder: EncoderIdentity | None = None) -> Code:
    """Return the code that a setting names: f32, f16 or i8, or the path of a file.

    encoder: whose vectors it will be given. Raises ValueError with a sentence that says what to change, also where the
    code was fitted to another encoder.
    """
    if setting in _CODES:
        return _CODES[setting]
    path = fitted_path(setting)
    fitted, sha256 = read_fitted(path)
    if encoder is not None and fitted.encoder is not None:
        _check_encoder(path, fitted.encoder, encoder)
    return fitted_code(fitted, name=fitted_name(fitted.recipe, sha256))


def _check_encoder(path: Path, fitted: EncoderIdentity, used: EncoderIdentity) -> None:
    for what, one, other in (
        ("the encoder", fitted.name, used.name),
        ("weights with the SHA-256", fitted.weights_sha256, used.weights_sha256),
        ("the precision", fitted.precision, used.precision),
        ("the preprocessing", dict(fitted.preprocessing), dict(used.preprocessing)),
    ):
        if one != other:
            raise ValueError(
                f"the code {path} was fitted to {what} {one}, and this is {other}: fit it again, or set the encoder "
                "that it belongs to"
            )
