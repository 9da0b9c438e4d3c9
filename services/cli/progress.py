"""The bar that shows how far a command is."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
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
