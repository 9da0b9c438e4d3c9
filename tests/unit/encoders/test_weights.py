"""Weights that were pinned: a file that is another one is refused before anything reads what is in it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from shared.encoders.cnn import efficientnet_lite
from shared.encoders.engine.opening import load_models
from shared.encoders.registry import load_encoder
from shared.encoders.settings import EncodingSettings
from shared.encoders.weights import read_weights
from shared.runtime.settings import BadSettings, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pth"
    torch.save({"weight": torch.ones(2)}, path)
    return path


@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_a_file_with_the_hash_that_it_is_pinned_to_is_read(file: Path, spelled: Callable[[str], str]) -> None:
    pinned = hashlib.sha256(file.read_bytes()).hexdigest()
    weights = read_weights(file, sha256=spelled(pinned))
    assert weights.sha256 == pinned
    assert weights.tensors.keys() == {"weight"}


def test_a_file_with_another_hash_is_refused_with_both_before_it_is_parsed(tmp_path: Path) -> None:
    """What follows the hash would be refused as well, and with another sentence."""
    file = tmp_path / "noise.pth"
    file.write_bytes(b"no tensors at all")
    found, pinned = hashlib.sha256(file.read_bytes()).hexdigest(), "a" * 64
    with pytest.raises(ValueError, match=f"noise.pth has the SHA-256 {found}, and is pinned to {pinned}"):
        read_weights(file, sha256=pinned)


def test_the_installed_weights_are_pinned_in_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = efficientnet_lite.packaged_weights()
    assert hashlib.sha256(packaged.read_bytes()).hexdigest() == efficientnet_lite.PACKAGED_SHA256
    tampered = tmp_path / packaged.name
    tampered.write_bytes(packaged.read_bytes() + b"\0")
    monkeypatch.setattr(efficientnet_lite, "packaged_weights", lambda: tampered)
    with pytest.raises(ValueError, match=f"is pinned to {efficientnet_lite.PACKAGED_SHA256}"):
        load_encoder("efficientnet_lite0", device="cpu", backend="torch")


def test_a_worker_with_other_weights_than_those_pinned_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_ENCODER_WEIGHTS", str(efficientnet_lite.packaged_weights()))
    monkeypatch.setenv("AFTERIMAGE_ENCODER_WEIGHTS_SHA256", "b" * 64)
    with pytest.raises(BadSettings, match=f"has the SHA-256 {efficientnet_lite.PACKAGED_SHA256}, and is pinned to bbb"):
        load_models(load(EncodingSettings))


def test_what_is_no_hash_is_refused_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_ENCODER_WEIGHTS_SHA256", "sha256:abc")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_ENCODER_WEIGHTS_SHA256='sha256:abc' .* 64 hex digits"):
        load(EncodingSettings)
