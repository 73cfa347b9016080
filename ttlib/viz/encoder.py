"""The encoder from ids to vectors, with its own numbers and the shapes that flow through it."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

from ttlib.viz.architecture import COLOURS
from ttlib.viz.style import INK, Picture, canvas

WIDTH, HEIGHT, STEP = 3.0, 0.56, 0.95
NORM = "#F0E442"
ALT = (
    "A column of boxes, read from below. Ids (B, S) go into the embedding table, {vocab_size} rows of {d_model} "
    "numbers; positions are added: (B, S, {d_model}). Then {n_layers} times: {first}; {second}. Each time the "
    "untouched input goes round on a line of its own and is added to the result. {last}Out come "
    "(B, S, {d_model}), one vector per token."
)


def draw_encoder(sizes: Mapping[str, Any]) -> Picture:
    """Boxes for the layers, the residual path beside them, shapes on the right; ``sizes`` is ``config.to_dict()``."""
    pre, d = sizes["pre_norm"], f"{sizes['d_model']}"
    norm, add = ("norm", "LayerNorm", ""), ("add", "+", f"(B, S, {d})")
    attention = ("attention", f"self-attention, {sizes['n_heads']} heads", f"weights (B, {sizes['n_heads']}, S, S)")
    feed_forward = ("feed-forward", f"feed-forward {d} → {sizes['d_ff']} → {d}", f"inside (B, S, {sizes['d_ff']})")
    parts = [[norm, work, add] if pre else [work, add, norm] for work in (attention, feed_forward)]
    rows = [
        ("table", f"embedding {sizes['vocab_size']:,} × {d}", f"(B, S, {d})"),
        ("add", "+", "positions (S, " + d + ")"),
    ]
    with canvas(5.6, 6.6) as (figure, ax):
        for i, row in enumerate([*rows, *parts[0], *parts[1], *([norm] if pre else [])]):
            draw_row(ax, i, *row)
        for first in (2, 5):
            draw_detour(ax, first, first + (2 if pre else 1))
        _draw_ends(ax, 9 if pre else 8, d, f"× {sizes['n_layers']}")
        ax.set(xlim=(-2.1, 5.9), ylim=(-1.15, 9 * STEP + 0.35))
        ax.axis("off")
        order = "LayerNorm, then {}, then add" if pre else "{}, then add, then LayerNorm"
        told = {"first": order.format(attention[1]), "second": order.format(feed_forward[1])}
        return Picture(figure, ALT.format(**sizes, **told, last="A last LayerNorm follows. " if pre else ""))


def draw_row(ax: Axes, i: int, kind: str, text: str, shape: str) -> None:
    """One box (or the circle of an addition), the arrow that enters it from below, and its shape on the right."""
    y, middle, size = STEP * i, WIDTH / 2, 0.2 if kind == "add" else HEIGHT / 2
    if kind == "add":
        ax.add_patch(Circle((middle, y), size, fill=False, edgecolor=INK))
    else:
        colour = {**COLOURS, "norm": NORM}[kind]
        corner, style = (0, y - size), "round,pad=0.04"
        ax.add_patch(FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle=style, facecolor=colour, edgecolor=INK))
    ax.text(middle, y, text, ha="center", va="center", fontsize=9, color=INK if kind == "add" else "black")
    ax.text(WIDTH + 0.5, y, shape, va="center", fontsize=9)
    draw_arrow(ax, y - STEP + 0.25, y - size - 0.03)


def draw_detour(ax: Axes, first: int, added: int) -> None:
    """The residual path: from below box ``first``, round on the left, into the addition."""
    start, end, left = STEP * (first - 0.52), STEP * added, -0.45
    ax.plot([WIDTH / 2, left, left], [start, start, end], color=INK, linewidth=1.2)
    ax.annotate("", (WIDTH / 2 - 0.2, end), (left - 0.02, end), arrowprops={"arrowstyle": "-|>", "color": INK})


def _draw_ends(ax: Axes, n_rows: int, d_model: str, times: str) -> None:
    """What goes in, what comes out, and the frame around the block that is repeated."""
    ax.text(WIDTH / 2, -1.0, "ids (B, S)", ha="center", fontsize=9)
    top = STEP * n_rows
    draw_arrow(ax, top - STEP + 0.25, top - 0.2)
    ax.text(WIDTH / 2, top - 0.1, f"(B, S, {d_model}): one vector per token", ha="center", fontsize=9)
    corner, height = (-0.8, STEP * 1.35), STEP * 6.1
    ax.add_patch(FancyBboxPatch(corner, WIDTH + 1.1, height, boxstyle="round,pad=0.05", fill=False, ls="--", ec=INK))
    ax.text(-1.0, corner[1] + height / 2, times, ha="right", va="center", fontsize=12)


def draw_arrow(ax: Axes, start: float, end: float) -> None:
    """Upwards, in the middle of the column."""
    ax.annotate("", (WIDTH / 2, end), (WIDTH / 2, start), arrowprops={"arrowstyle": "-|>", "color": INK})
