"""``python -m tests.fuzz SECONDS``: half of the time for each target. Ends with status 1 if there are findings.

What is learnt and what is found is kept below `.fuzz`, outside of git. A finding that is mended becomes a test.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["shared", "PIL"]):
    from tests.fuzz.targets import decode_image, read_upload
from tests.fuzz.seeds import event_seeds, image_seeds

_KEPT = Path(".fuzz")
_SECONDS_AN_INPUT = 10
_MEMORY_MB = 2048
_TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "image": (decode_image, image_seeds),
    "event": (read_upload, event_seeds),
}


def fuzz(name: str, seconds: int) -> None:
    """Run one target in this process, which libFuzzer ends."""
    target, seeds = _TARGETS[name]
    corpus, findings = _KEPT / name / "corpus", _KEPT / name / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds():
        (corpus / sha256(seed).hexdigest()).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], str(corpus), *options], target)
    atheris.Fuzz()


def main() -> int:
    """Run each target in a process of its own."""
    seconds = int(sys.argv[1])
    ends = {
        name: subprocess.run(
            [sys.executable, "-m", "tests.fuzz", name, str(max(seconds // len(_TARGETS), 1))], check=False
        ).returncode
        for name in _TARGETS
    }
    for name, status in ends.items():
        found = f"findings, in {_KEPT / name / 'findings'}" if status else "nothing found"
        sys.stdout.write(f"fuzz: {name}: {found}\n")
    return int(any(ends.values()))


if __name__ == "__main__":
    if sys.argv[1] in _TARGETS:
        fuzz(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(main())
