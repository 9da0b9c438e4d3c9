"""The bar that shows how far a command is."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text


class _Field(TextColumn):
    """What a task says of itself under some name, if it does."""

    def __init__(self, name: str, style: str = "none") -> None:
        super().__init__("", style=style)
        self._name = name

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get(self._name, "")), style=self.style)


def counting(console: Console, *, shown: bool = True) -> Progress:
    """A bar for things that can be counted. Its tasks may have the fields `rate`, and `bad` for what went wrong."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Field("rate"),
        TimeRemainingColumn(),
        _Field("bad", style="red"),
        console=console,
        disable=not shown,
    )


def copying(console: Console) -> Progress:
    """Bars for bytes, with how fast they go."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    return Progress(*columns, console=console)


class Bytes:
    """One such bar. May be moved from any thread."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=None)

    def begin(self, total: int) -> None:
        """Say how many bytes it is about."""
        self._progress.reset(self._task, total=total)

    def advance(self, bytes_: int) -> None:
        self._progress.advance(self._task, bytes_)

    def end(self, description: str) -> None:
        """Say what became of it."""
        self._progress.update(self._task, description=description)
        self._progress.stop_task(self._task)
