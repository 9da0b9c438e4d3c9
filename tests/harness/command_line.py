"""`afterimage` as one types it: a process, of which one sees what it prints and how it ends."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests.harness.warm import WarmProcess

_PLAIN = {"COLUMNS": "200", "NO_COLOR": "1"}


def afterimage(
    arguments: Sequence[str | Path], env: Mapping[str, str], *, stdin: bytes = b"", timeout_s: float = 120
) -> CompletedProcess[str]:
    """Run it to its end. env: beside what this process has. Raises subprocess.TimeoutExpired."""
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        given, stdout, stderr = (Path(folder) / name for name in ("stdin", "stdout", "stderr"))
        given.write_bytes(stdin)
        program = WarmProcess(
            "services.cli", words, env={**os.environ, **_PLAIN, **env}, stdin=given, stdout=stdout, stderr=stderr
        )
        try:
            status = program.wait(timeout_s)
        except TimeoutExpired:
            program.send_signal(9)
            raise
        said = [file.read_text(encoding="utf-8", errors="replace") for file in (stdout, stderr)]
    return CompletedProcess(["afterimage", *words], status, *said)
