"""The test images in packages' source distributions: odd files, and every attack that the package ever mended."""

import hashlib
import os
import tarfile
import tempfile
import tomllib
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

import pytest

from services.cli.stack.cache import user_cache

_LOCK = Path(__file__).parents[2] / "uv.lock"
_TIMEOUT_S = 60


def pillow_corpus() -> dict[str, bytes]:
    """A thousand files of all formats by their names."""
    return _corpus("pillow")


def heif_corpus() -> dict[str, bytes]:
    """Fifty files by their names: phones' pictures, and what tools make."""
    return {name: data for name, data in _corpus("pillow-heif").items() if name.endswith((".heic", ".heif"))}


def _corpus(package: str) -> dict[str, bytes]:
    """Those of the very version that uv.lock pins, fetched once and kept in the user's cache.

    Without the registry the test is skipped, except under CI=true, where it fails.
    """
    with tarfile.open(_source_distribution(package)) as archive:
        images = [member for member in archive if member.isfile() and "tests/images/" in member.name.lower()]
        return {PurePosixPath(member.name).name: archive.extractfile(member).read() for member in images}


def _source_distribution(package: str) -> Path:
    locked = tomllib.loads(_LOCK.read_text(encoding="utf-8"))["package"]
    [source] = [entry["sdist"] for entry in locked if entry["name"] == package]
    digest = source["hash"].removeprefix("sha256:")
    kept = user_cache() / "corpus" / f"{package}-{digest[:16]}.tar.gz"
    if not kept.exists():
        _keep(_fetch(source["url"]), digest, kept)
    return kept


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 -- https, from the lock file
            return answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        missing = f"THE DECODER HAS NOT SEEN ITS CORPUS: {url} cannot be fetched ({error})"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


def _keep(content: bytes, digest: str, path: Path) -> None:
    assert hashlib.sha256(content).hexdigest() == digest
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        partial.write(content)
    Path(partial.name).replace(path)
