"""Quality against what it costs, plotted for people."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.cli.evaluation.results import Results
from services.cli.failures import Failure
from shared.evaluation.pareto import pareto_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#010203"
"""Stands for the colour of the page's text until the plot is in a page."""
_ACCENT = "#2a78d6"
"""Of the front: 3 to 1 or more on white and on black (WCAG 2.2, 1.4.11)."""
_WIDE = 20
"""A range of costs that only a logarithmic axis shows; on others one reads more from a linear one."""
_COSTS = ("bytes per image", "milliseconds per image")


def check_plots() -> None:
    """Raise Failure where nothing can be plotted, before hours are spent on what is to be."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - optional
    except ImportError as error:
        raise Failure("the report needs matplotlib; install afterimage[study], or leave out --out") from error


def costs_of(results: Results) -> dict[str, list[float]]:
    """Return what the schemes cost, by the name of the cost."""
    of_each = [(float(scheme.bytes_per_image), scheme.milliseconds) for scheme in results.schemes]
    return dict(zip(_COSTS, map(list, zip(*of_each, strict=True)), strict=True))


def front_of(results: Results, costs: list[float]) -> list[int]:
    """Return the numbers of the schemes, from 0, that are worth their costs by the first measure."""
    return pareto_front(costs, [scheme.measures[results.measures[0]] for scheme in results.schemes])


def write_pareto(folder: Path, results: Results) -> None:
    """Write pareto.svg and pareto.png, black on white. Raises OSError."""
    figure = _pareto(results, ink="black")
    for suffix in ("svg", "png"):
        _save(figure, folder / f"pareto.{suffix}", facecolor="white", dpi=150)


def inline_pareto(results: Results) -> str:
    """Return the plot as an element of a page, in the colour of its text."""
    drawn = io.BytesIO()
    _save(_pareto(results, ink=_INK), drawn, format="svg", transparent=True)
    element = re.sub(r"^.*?(?=<svg )", "", drawn.getvalue().decode(), flags=re.DOTALL)
    element = element.replace(_INK, "currentColor").replace("<svg ", '<svg aria-hidden="true" ', 1)
    return re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)


def _save(figure: "Figure", target: Path | io.BytesIO, **options: Any) -> None:  # noqa: ANN401 - as savefig has them
    import matplotlib as mpl  # noqa: PLC0415 - optional

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "afterimage"}):
        figure.savefig(target, metadata=None if str(target).endswith(".png") else {"Date": None}, **options)


def _pareto(results: Results, *, ink: str) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - optional

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    qualities = [scheme.measures[results.measures[0]] for scheme in results.schemes]
    panels = figure.subplots(1, len(_COSTS), sharey=True)
    for axes, (name, costs) in zip(panels, costs_of(results).items(), strict=True):
        front = front_of(results, costs)
        if max(costs) > _WIDE * min(costs):
            axes.set_xscale("log")
        else:
            axes.set_xlim(0, 1.1 * max(costs))
        axes.plot(
            [costs[one] for one in front], [qualities[one] for one in front], color=_ACCENT, drawstyle="steps-post"
        )
        for number, (cost, quality) in enumerate(zip(costs, qualities, strict=True)):
            on_front = number in front
            axes.plot(
                cost,
                quality,
                marker="o" if on_front else "x",
                color=_ACCENT if on_front else ink,
                linestyle="none",
            )
        _number(axes, costs, qualities, ink)
        axes.set_xlabel(name, color=ink)
        axes.margins(y=0.1)
        axes.set_facecolor("none")
        axes.tick_params(which="both", colors=ink)
        for spine in axes.spines.values():
            spine.set_color(ink)
        axes.grid(color=ink, alpha=0.15)
    panels[0].set_ylabel(results.measures[0], color=ink)
    return figure


def _number(axes: "Axes", costs: list[float], qualities: list[float], ink: str) -> None:
    """Write the numbers of the schemes beside their points; those of points that lie close together in one line."""
    groups: list[list[int]] = []
    span = max(qualities) - min(qualities) or 1
    for number, (cost, quality) in enumerate(zip(costs, qualities, strict=True)):
        for group in groups:
            near = abs(qualities[group[0]] - quality) < 0.04 * span
            if near and max(cost, costs[group[0]]) < 1.12 * min(cost, costs[group[0]]):
                group.append(number)
                break
        else:
            groups.append([number])
    for group in groups:
        place = costs[group[0]], qualities[group[0]]
        text = ", ".join(str(number + 1) for number in group)
        axes.annotate(text, place, xytext=(6, 5), textcoords="offset points", color=ink)
