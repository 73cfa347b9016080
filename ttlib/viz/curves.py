"""Curves: losses over steps, measurements over sizes."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from ttlib.errors import require
from ttlib.viz.style import COLOURS, DASHES, MARKERS, WIDTH, Picture, canvas

Number = int | float
Series = tuple[Sequence[Number], Sequence[Number]]


def lines(
    series: Mapping[str, Series],
    *,
    x: str,
    y: str,
    log: str = "",
    levels: Mapping[str, Number] | None = None,
    alt: str = "",
) -> Picture:
    """One line per named series ``(xs, ys)``; ``log`` is ``"x"``, ``"y"`` or ``"xy"``; ``levels`` are named heights.

    Lines differ in colour, dash and marker, so that nobody needs the colours.

    Raises:
        InputError: there are no series, more than four, or one whose two lists differ in length.
    """
    require(0 < len(series) <= len(COLOURS), "series", len(series), f"1 to {len(COLOURS)} lines")
    with canvas(WIDTH, 3.1) as (figure, ax):
        for i, (name, (xs, ys)) in enumerate(series.items()):
            require(len(xs) == len(ys) > 0, f"series {name!r}", (len(xs), len(ys)), "as many x as y, at least one")
            draw_line(ax, i, name, xs, ys)
        draw_levels(ax, levels or {})
        ax.set(xlabel=x, ylabel=y)
        scale_axes(ax, log, [xs for xs, _ in series.values()])
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=2)  # above the axes: it never covers a line
        return Picture(figure, alt or describe(series, x, y, levels or {}))


def draw_line(ax: Axes, number: int, name: str, xs: Sequence[Number], ys: Sequence[Number]) -> None:
    """The line of this number, in its own colour, dash and marker (none on a line of many points)."""
    colour, marker = COLOURS[number], MARKERS[number] if len(xs) <= 20 else ""
    ax.plot(xs, ys, DASHES[number], marker=marker, color=colour, label=name, linewidth=1.8, markersize=5)


def draw_levels(ax: Axes, levels: Mapping[str, Number]) -> None:
    """Dotted lines across the axes, each with its name at the right end."""
    for name, height in levels.items():
        ax.axhline(height, color=ax.xaxis.label.get_color(), linewidth=1, linestyle=(0, (1, 2)))
        ax.annotate(name, (1, height), (0, 3), ("axes fraction", "data"), "offset points", ha="right")


def tell_levels(levels: Mapping[str, Number]) -> list[str]:
    """The same in words."""
    return [f"dotted level {name}: {height:.3g}" for name, height in levels.items()]


def scale_axes(ax: Axes, log: str, sizes: Sequence[Sequence[Number]]) -> None:
    """Logarithmic axes with plain numbers: the measured sizes below x, 1, 2, 5, 10 … beside y."""
    ax.set(xscale="log" if "x" in log else "linear", yscale="log" if "y" in log else "linear")
    if "x" not in log:
        ax.locator_params("x", nbins=7)  # so that numbers of five digits stay apart
    xs = sorted({x for values in sizes for x in values})
    if "x" in log and len(xs) <= 8:
        ax.set_xticks(xs, [f"{x:g}" for x in xs])
        ax.tick_params("x", which="minor", bottom=False, labelbottom=False)
    if "y" in log:
        low, high = ax.get_ylim()
        steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
        ax.yaxis.set_major_locator(LogLocator(subs=steps))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.tick_params("y", which="minor", left=False, labelleft=False)


def loss_curve(history: Sequence[Mapping[str, Number]], *, alt: str = "") -> Picture:
    """The training loss of a run's history: one record per point, with ``step`` and ``loss``.

    Raises:
        InputError: the history is empty.
    """
    return _column(history, "loss", "loss per token", alt)


def training_curve(history: Sequence[Mapping[str, Number]]) -> Picture:
    """The loss and, beside it, the learning rate (``lr``) of a run's history.

    Raises:
        InputError: the history is empty.
    """
    return loss_curve(history) | _column(history, "lr", "learning rate", "")


def _column(history: Sequence[Mapping[str, Number]], name: str, label: str, alt: str) -> Picture:
    require(len(history) > 0, "history", history, f"at least one record with step and {name}")
    return lines({label: ([p["step"] for p in history], [p[name] for p in history])}, x="step", y=label, alt=alt)


def describe(series: Mapping[str, Series], x: str, y: str, levels: Mapping[str, Number]) -> str:
    """The curves in words: where each begins and ends."""
    told = [f"{name}: from {ys[0]:.3g} at {xs[0]:g} to {ys[-1]:.3g} at {xs[-1]:g}" for name, (xs, ys) in series.items()]
    told += tell_levels(levels)
    return f"Line chart of {y} against {x}. {'; '.join(told)}."


def slope(xs: Sequence[Number], ys: Sequence[Number]) -> float:
    """The exponent p of y ≈ c·xᵖ: the least-squares slope of log y against log x.

    Raises:
        InputError: fewer than two points, or one that is not positive.
    """
    require(len(xs) == len(ys) > 1, "xs", len(xs), f"as many as ys ({len(ys)}), at least two")
    require(min(*xs, *ys) > 0, "ys", min(*xs, *ys), "positive numbers: they are drawn on logarithmic axes")
    a, b = [math.log(v) for v in xs], [math.log(v) for v in ys]
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    above = sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True))
    return above / sum((p - mean_a) ** 2 for p in a)
