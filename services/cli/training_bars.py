"""What a training shows of itself on the terminal."""

from collections.abc import Mapping

from rich.progress import Progress


class TrainingBars:
    """One bar for what is being done, with the losses of the last step; lines above it for what is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("beginning", total=None)

    def began(self, what: str, total: int) -> None:
        """See TrainingObserver.began."""
        self._progress.reset(self._task, total=total, description=what, rate="")

    def advanced(self, steps: int, numbers: Mapping[str, float]) -> None:
        """See TrainingObserver.advanced."""
        losses = "  ".join(f"{name} {number:.3f}" for name, number in numbers.items())
        self._progress.update(self._task, advance=steps, rate=losses)

    def noted(self, sentence: str) -> None:
        """See TrainingObserver.noted."""
        self._progress.console.print(sentence, soft_wrap=True, markup=False)
