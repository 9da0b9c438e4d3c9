"""What `afterimage models` tells of one encoder."""

import shlex

import msgspec


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An encoder, or a weights file of which it is not known what it is for.

    parameters: without the classifier. weights: None where none are on this machine, as far as this command looked.
    problem: why it cannot be used.
    """

    encoder: str | None = None
    dim: int | None = None
    input_size: int | None = None
    parameters: int | None = None
    weights: str | None = None
    sha256: str | None = None
    installed: bool = False
    problem: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which workers use it. The weights that are installed are named and pinned in the code."""
        given = {
            "AFTERIMAGE_ENCODER": self.encoder or "timm:MODEL",
            "AFTERIMAGE_ENCODER_WEIGHTS": None if self.installed else self.weights or "FILE",
            "AFTERIMAGE_ENCODER_WEIGHTS_SHA256": None if self.installed else self.sha256,
        }
        return {name: value for name, value in given.items() if value is not None}

    @property
    def shell(self) -> str:
        """The same, ready for a shell."""
        return " ".join(f"{name}={shlex.quote(value)}" for name, value in self.settings.items())
