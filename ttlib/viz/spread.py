"""Curves of repeated runs: the middle run, and how far the runs lie apart."""

from collections.abc import Mapping, Sequence
from statistics import median

from ttlib.errors import require
from ttlib.viz.curves import Number, draw_levels, draw_line, scale_axes, tell_levels
from ttlib.viz.style import COLOURS, WIDTH, Picture, canvas

Runs = tuple[Sequence[Number], Sequence[Sequence[Number]]]


def spread(
    series: Mapping[str, Runs],
    *,
    x: str,
    y: str,
    log: str = "",
    levels: Mapping[str, Number] | None = None,
    title: str = "",
    over: str = "seeds",
) -> Picture:
    """One line per named series ``(xs, values)``, where ``values[i]`` holds what every seed gave at ``xs[i]``.

    (Or every word, or every text: ``over`` says which in the alternative text.)

    The line is the median; the band reaches from the least to the greatest, and holds no assumption about their
    distribution. ``log`` is ``"x"``, ``"y"`` or ``"xy"``; ``levels`` are named heights.

    Raises:
        InputError: there are no series, more than four, or one with another number of xs than of groups of runs.
    """
    require(0 < len(series) <= len(COLOURS), "series", len(series), f"1 to {len(COLOURS)} lines")
    with canvas(WIDTH, 3.3) as (figure, ax):
        for i, (name, (xs, runs)) in enumerate(series.items()):
            require(len(xs) == len(runs) > 0, f"series {name!r}", (len(xs), len(runs)), "one group of runs per x")
            low, high = [min(group) for group in runs], [max(group) for group in runs]
            ax.fill_between(xs, low, high, color=COLOURS[i], alpha=0.2, linewidth=0)
            draw_line(ax, i, name, xs, [median(group) for group in runs])
        draw_levels(ax, levels or {})
        ax.set(xlabel=x, ylabel=y, title=title)
        scale_axes(ax, log, [xs for xs, _ in series.values()])
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=2)
        return Picture(figure, describe(series, (x, y), levels or {}, title, over))


def describe(
    series: Mapping[str, Runs], axes: tuple[str, str], levels: Mapping[str, Number], title: str, over: str
) -> str:
    """The curves in words: median and range where each begins and ends."""
    ends = [
        f"{name}: from {_range(runs[0])} at {xs[0]:g} to {_range(runs[-1])} at {xs[-1]:g}"
        for name, (xs, runs) in series.items()
    ]
    ends += tell_levels(levels)
    start = f"{title}: line" if title else "Line"
    return f"{start} chart of {axes[1]} against {axes[0]}, median and range over the {over}. {'; '.join(ends)}."


def _range(runs: Sequence[Number]) -> str:
    return f"{median(runs):.3g} ({min(runs):.3g} to {max(runs):.3g})"
