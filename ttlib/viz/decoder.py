"""One decoder block with its own numbers: who asks, who answers, and the shapes that pass."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ttlib.viz.encoder import HEIGHT, STEP, WIDTH, draw_arrow, draw_detour, draw_row
from ttlib.viz.style import INK, Picture, canvas

ALT = (
    "A column of boxes, read from below; (B, T, {d_model}) goes in and comes out. First: {first}, with queries, keys "
    "and values from the target, under the causal mask; weights (B, {n_heads}, T, T). Second: {second}; its queries "
    "come from the target, its keys and values from the memory (B, S, {d_model}), which enters by an arrow of its own "
    "from the right; weights (B, {n_heads}, T, S). Third: {third}. Each time the untouched input goes round on a line "
    "of its own and is added to the result."
)


def draw_decoder_block(sizes: Mapping[str, Any]) -> Picture:
    """Three sub-layers, each inside a residual connection (Vaswani et al. 2017, figure 1, right).

    ``sizes`` is ``Seq2SeqConfig.to_dict()``.
    """
    pre, d, heads = sizes["pre_norm"], f"{sizes['d_model']}", sizes["n_heads"]
    norm, add = ("norm", "LayerNorm", ""), ("add", "+", f"(B, T, {d})")
    works = [
        ("attention", "masked self-attention", f"weights (B, {heads}, T, T)"),
        ("attention", "cross-attention", f"weights (B, {heads}, T, S)"),
        ("feed-forward", f"feed-forward {d} → {sizes['d_ff']} → {d}", f"inside (B, T, {sizes['d_ff']})"),
    ]
    rows = [row for work in works for row in ([norm, work, add] if pre else [work, add, norm])]
    with canvas(5.6, 6.6) as (figure, ax):
        for i, row in enumerate(rows):
            draw_row(ax, i, *row)
        for first in (0, 3, 6):
            draw_detour(ax, first, first + (2 if pre else 1))
        _draw_memory(ax, STEP * (4 if pre else 3), d)
        _draw_ends(ax, len(rows), d)
        ax.set(xlim=(-0.9, 6.4), ylim=(-1.15, 9 * STEP + 0.35))
        ax.axis("off")
        order = "LayerNorm, then {}, then add" if pre else "{}, then add, then LayerNorm"
        names = ("first", "second", "third")
        told = {name: order.format(work[1]) for name, work in zip(names, works, strict=True)}
        return Picture(figure, ALT.format(**sizes, **told))


def _draw_memory(ax: Axes, y: float, d_model: str) -> None:
    """The arrow that brings keys and values into cross-attention, below the shape of its weights."""
    low = y - 0.75 * HEIGHT
    ax.annotate("", (WIDTH + 0.05, y - 0.2), (WIDTH + 0.5, low), arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.text(WIDTH + 0.5, low - 0.04, f"k, v: memory (B, S, {d_model})", va="center", fontsize=9, weight="bold")


def _draw_ends(ax: Axes, n_rows: int, d_model: str) -> None:
    """What goes in, what comes out, and the frame around the block."""
    ax.text(WIDTH / 2, -1.0, f"target so far (B, T, {d_model})", ha="center", fontsize=9)
    top = STEP * n_rows
    draw_arrow(ax, top - STEP + 0.25, top - 0.2)
    ax.text(WIDTH / 2, top - 0.1, f"(B, T, {d_model})", ha="center", fontsize=9)
    corner, height = (-0.75, -0.72), top - STEP + 1.12
    ax.add_patch(FancyBboxPatch(corner, WIDTH + 1.0, height, boxstyle="round,pad=0.05", fill=False, ls="--", ec=INK))
