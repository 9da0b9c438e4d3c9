"""Children of the supervisor: how they start, fail and end, and what they leave behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from services.cli.stack import ChildDiedError
from services.cli.stack.process import ChildSpec
from services.cli.stack.reaper import Reaper
from services.cli.stack.supervisor import supervision

HEARTBEAT_FOREVER = "import time\nwhile True: time.sleep(0.1)"


class Lines:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.heard.append((name, text))

    def said(self, text: str) -> Callable[[], Awaitable[bool]]:
        """A probe: ready once some child said this."""

        async def probe() -> bool:
            return any(text == line for _, line in self.heard)

        return probe


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    with Reaper() as reaper:
        yield reaper


def child(name: str, script: str, *, ready: Callable[[], Awaitable[bool]], **limits: float) -> ChildSpec:
    command = [sys.executable, "-u", "-c", textwrap.dedent(script)]
    return ChildSpec(name=name, command=command, ready=ready, **limits)


def is_running(pid: int) -> bool:
    """A zombie that nobody has collected yet is not running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


async def test_a_child_that_dies_during_its_start_is_reported_with_its_last_lines(reaper: Reaper) -> None:
    lines = Lines()
    with pytest.raises(ChildDiedError, match="indexer ended with status 3 before it was ready") as failure:
        async with supervision(reaper, lines) as supervisor:
            await supervisor.start(child("indexer", "print('no such topic'); exit(3)", ready=lines.said("never")))
    assert "no such topic" in str(failure.value)


async def test_a_child_that_never_gets_ready_is_reported_and_ended(reaper: Reaper) -> None:
    lines = Lines()
    spec = child(
        "slow", f"import os; print(os.getpid())\n{HEARTBEAT_FOREVER}", ready=lines.said("never"), start_timeout_s=0.5
    )
    with pytest.raises(ChildDiedError, match=r"slow was not ready after 0.5 s"):
        async with supervision(reaper, lines) as supervisor:
            await supervisor.start(spec)
    assert not is_running(int(lines.heard[0][1]))


async def test_a_child_that_dies_later_cancels_the_block(reaper: Reaper) -> None:
    lines = Lines()
    script = "import os, signal, time; print('up'); time.sleep(0.3); os.kill(os.getpid(), signal.SIGKILL)"
    cancelled = asyncio.Event()

    async def work_until_cancelled() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            cancelled.set()

    async def supervise() -> None:
        async with supervision(reaper, lines) as supervisor:
            await supervisor.start(child("searcher", script, ready=lines.said("up")))
            await work_until_cancelled()

    with pytest.raises(ChildDiedError, match="searcher was ended by SIGKILL while it was needed"):
        await supervise()
    assert cancelled.is_set()


async def test_an_error_of_the_block_comes_out_as_it_is(reaper: Reaper) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with supervision(reaper, Lines()):
            raise LookupError("mine")


async def test_stages_end_in_reverse_order_and_their_last_words_are_heard(reaper: Reaper) -> None:
    lines = Lines()
    script = """
        import signal, sys, time
        def end(*_):
            time.sleep(0.1)
            print("{name} ended")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        print("{name} up")
        signal.pause()
    """
    async with supervision(reaper, lines) as supervisor:
        for name in ("broker", "redis", "worker"):
            await supervisor.start(child(name, script.format(name=name), ready=lines.said(f"{name} up")))
    assert [text for _, text in lines.heard if text.endswith("ended")] == [
        "worker ended",
        "redis ended",
        "broker ended",
    ]


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(reaper: Reaper) -> None:
    lines = Lines()
    script = f"""
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up")
        {HEARTBEAT_FOREVER.replace(chr(10), chr(10) + " " * 8)}
    """
    started = time.monotonic()
    async with supervision(reaper, lines) as supervisor:
        await supervisor.start(child("stubborn", script, ready=lines.said("up"), stop_grace_s=0.3))
    assert time.monotonic() - started < 5


async def test_a_grandchild_that_was_left_behind_is_ended_and_holds_nothing_up(reaper: Reaper) -> None:
    lines = Lines()
    script = """
        import subprocess, sys
        orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(orphan.pid)
    """
    with pytest.raises(ChildDiedError, match="ended with status 0"):
        async with supervision(reaper, lines) as supervisor:
            await supervisor.start(child("parent", script, ready=lines.said("never")))
    until(lambda: not is_running(int(lines.heard[0][1])))


async def test_an_endless_line_is_cut_and_only_the_last_lines_are_remembered(reaper: Reaper) -> None:
    lines = Lines()
    script = "print('x' * 1_000_000)\nfor i in range(1000): print(i)\nexit(1)"
    with pytest.raises(ChildDiedError) as failure:
        async with supervision(reaper, lines) as supervisor:
            await supervisor.start(child("chatty", script, ready=lines.said("never")))
    assert max(len(text) for _, text in lines.heard) < 200_000
    assert lines.heard[-1] == ("chatty", "999")
    assert len(str(failure.value).splitlines()) < 40


PARENT = """
    import asyncio, signal, sys, tempfile
    from pathlib import Path
    from services.cli.stack.process import ChildSpec
    from services.cli.stack.reaper import Reaper
    from services.cli.stack.supervisor import supervision

    # A shell has what runs in its background ignore Ctrl-C, and this suite may be run so.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    CHILD = '''
    import os, subprocess, sys, time
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(os.getpid(), grandchild.pid, flush=True)
    time.sleep(60)
    '''.replace("\\n    ", "\\n")

    async def ready(): return True

    async def main():
        with Reaper() as reaper:
            folder = tempfile.mkdtemp()
            reaper.adopt_folder(Path(folder))
            print(folder, flush=True)
            async with supervision(reaper, lambda name, line: print(line, flush=True)) as supervisor:
                await supervisor.start(ChildSpec(name="c", command=[sys.executable, "-c", CHILD], ready=ready))
                await asyncio.sleep(60)

    asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_whatever_ends_the_parent_nothing_is_left(number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert all(is_running(pid) for pid in pids)
        os.kill(parent.pid, number)
        parent.wait(10)
    until(lambda: not any(is_running(pid) for pid in pids))
    until(lambda: not folder.exists())
