"""The identity of everything that turns an image into a code."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.codes.fitted_file import EncoderIdentity
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.precision import Precision

if TYPE_CHECKING:  # it brings torch, and a scheme is also read by those who have none
    from shared.encoders.encoder import Described


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """What two codes must have in common before they may be compared.

    Whatever changes the code of some image must change a field here: other weights, another
    architecture, another size, cut or normalisation of the pixels (`Preprocessing.revision`
    where only the implementation differs), another quantizer. The backend, the device, the
    batch size and the number of threads do not belong here: they move a code by rounding
    errors only, in as far as the precision allows.
    """

    encoder: str
    """The architecture, by the name that `load_encoder` takes."""
    weights_sha256: str
    preprocessing: Preprocessing
    precision: Precision
    code: str
    dim: int

    @cached_property
    def fingerprint(self) -> str:
        """Return the code's name, a colon, and 16 hex digits: of the SHA-256 of the canonical JSON.

        That has sorted keys and no spaces. The name is there for those who compare codes and know no encoder.
        """
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return f"{self.code}:{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def identity_of(encoder: "Described") -> EncoderIdentity:
    """What a fitted code knows of the encoder whose vectors it is for."""
    return EncoderIdentity(
        name=encoder.name,
        weights_sha256=encoder.weights_sha256,
        precision=encoder.precision,
        preprocessing=json.loads(json.dumps(asdict(encoder.preprocessing))),  # as a file gives it back
    )
