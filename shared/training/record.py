"""What is kept of each epoch: a CSV file for programs, and a plot for people."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.training.losses import MissingExtra
from shared.training.quality import Quality

LOG = "log.csv"
CURVES = "curves.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One epoch; number 0 is what there was before anything was learned."""

    epoch: int
    seconds: float
    losses: dict[str, float]
    """The means over the epoch, by name."""
    quality: Quality

    def sentence(self, *, best: bool) -> str:
        losses = ", ".join(f"{name} {loss:.4f}" for name, loss in self.losses.items())
        quality = f"mAP {self.quality.mean_average_precision:.4f}, recall@1 {self.quality.recall_at_1:.4f}"
        return f"epoch {self.epoch}: {losses}; held out: {quality}{', the best so far' if best else ''}"


def write_log(rows: Sequence[Row], folder: Path) -> None:
    """Write all epochs; the first has no losses."""
    names = list(rows[-1].losses)
    with (folder / LOG).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "seconds", *names, "recall_at_1", "mean_average_precision"])
        for row in rows:
            losses = [f"{row.losses[name]:.6f}" if name in row.losses else "" for name in names]
            quality = (row.quality.recall_at_1, row.quality.mean_average_precision)
            writer.writerow([row.epoch, f"{row.seconds:.1f}", *losses, *(f"{value:.6f}" for value in quality)])


def write_curves(rows: Sequence[Row], folder: Path) -> None:
    """Plot the losses and the quality over the epochs. Raises MissingExtra."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtra("the curves need matplotlib; install afterimage[study]") from error
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    learned = [row for row in rows if row.losses]
    for name in learned[-1].losses if learned else ():
        left.plot([row.epoch for row in learned], [row.losses[name] for row in learned], label=name)
    left.set(xlabel="epoch", ylabel="loss")
    epochs = [row.epoch for row in rows]
    right.plot(epochs, [row.quality.mean_average_precision for row in rows], label="mAP")
    right.plot(epochs, [row.quality.recall_at_1 for row in rows], label="recall@1")
    right.set(xlabel="epoch", ylabel="on the pictures held out")
    for axes in (left, right):
        if axes.lines:
            axes.legend()
    figure.savefig(folder / CURVES)
