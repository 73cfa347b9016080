"""Attention for one token, step by step: its query meets every key, the shares weigh the values."""

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.style import COLOURS, INK, WIDTH, Picture, canvas

MOST = 4  # keys that fit side by side on a phone


def one_token(
    word: str,
    words: Sequence[str],
    q: Float[Tensor, " K"],
    k: Float[Tensor, "S K"],
    v: Float[Tensor, "S Kv"],
) -> Picture:
    """Draw softmax(q kᵀ / √d_k) v with every number, for the query of one word and the keys of a few.

    Raises:
        InputError: there is not one word per key, or there are more than fit.
    """
    require(0 < len(words) <= MOST, "words", len(words), f"1 to {MOST} words")
    require(len(words) == len(k) == len(v), "words", len(words), f"one per key ({len(k)}) and value ({len(v)})")
    scores = k @ q  # (S,)
    scaled = scores / math.sqrt(len(q))
    weights = scaled.softmax(-1)
    columns = [
        [f"key of {name}\n{row(k[i])}", f"score q·k\n{scores[i]:g}", f"÷ √{len(q)}\n{scaled[i]:.3g}"]
        + [f"softmax\n{weights[i]:.2f}", f"value of {name}\n{row(v[i])}"]
        for i, name in enumerate(words)
    ]
    result = f"weighted sum of the values\n{row(weights @ v)}"
    with canvas(WIDTH, 5.0) as (figure, ax):
        for i, texts in enumerate(columns):
            draw_column(ax, i + 0.5, texts, float(weights[i]), len(words) / 2)
        box(ax, len(words) / 2, 6.0, f"query of {word}\n{row(q)}", "none")
        box(ax, len(words) / 2, 0.0, result, COLOURS[1])
        ax.set(xlim=(0, len(words)), ylim=(-0.5, 6.5))
        ax.axis("off")
        steps = "; ".join(", ".join(text.replace("\n", " ") for text in texts) for texts in columns)
        told = f"Attention for one token: the query of {word} {row(q)} meets each key. {steps}. {result}."
        return Picture(figure, told.replace("\n", " "))


def draw_column(ax: Axes, x: float, texts: Sequence[str], weight: float, middle: float) -> None:
    """The steps for one key, from the query in the middle on top to the sum in the middle below."""
    arrow(ax, (middle, 5.7), (x, 5.32))
    for step, text in enumerate(texts):
        box(ax, x, 5.0 - step, text, COLOURS[0] if step == 3 else "none", 0.15 + 0.5 * weight)
        if step:
            arrow(ax, (x, 5.7 - step), (x, 5.32 - step))
    arrow(ax, (x, 0.7), (middle, 0.32))


def box(ax: Axes, x: float, y: float, text: str, colour: str, alpha: float = 0.25) -> None:
    """A rounded box around its text, tinted if it has a colour."""
    corner, shape = (x - 0.4, y - 0.27), "round,pad=0.02"
    if colour != "none":
        ax.add_patch(FancyBboxPatch(corner, 0.8, 0.54, shape, facecolor=colour, alpha=alpha))
    ax.add_patch(FancyBboxPatch(corner, 0.8, 0.54, shape, facecolor="none", edgecolor=INK))
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A thin arrow in the page's ink."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0})


def row(vector: Float[Tensor, " K"]) -> str:
    """A short vector as ``(8.8, 1.2)``."""
    return f"({', '.join(f'{value:.3g}' for value in torch.round(vector.detach(), decimals=1).tolist())})"
