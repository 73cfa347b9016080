"""The two encoder blocks side by side: LayerNorm on the branch (pre-norm) or on the trunk (post-norm)."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ttlib.errors import require
from ttlib.viz.style import INK, Picture, canvas

Point = tuple[float, float]

FILL = {"attention": "#E69F00", "feed-forward": "#56B4E9", "LayerNorm": "#CCCCCC"}
FORMULA = {"pre": "x + F(LayerNorm(x))", "post": "LayerNorm(x + F(x))"}
ALT = {
    "pre": "Pre-norm block. A trunk runs straight from x at the bottom to the output at the top, and meets nothing "
    "but two additions. Two branches leave it: the first passes LayerNorm and attention, the second LayerNorm and "
    "feed-forward; each is added to the trunk.",
    "post": "Post-norm block. On the trunk from x at the bottom to the output at the top: an addition, LayerNorm, an "
    "addition, LayerNorm. Two branches leave it: the first passes attention, the second feed-forward; each is "
    "added to the trunk before its LayerNorm.",
}
TRUNK, BRANCH = 1.0, 3.2  # the two columns
HALF = {TRUNK: 0.85, BRANCH: 1.0}  # half the width of a box there
TALL = 0.62
FOOT = -0.15  # where the trunk begins
THIN, THICK = 1.2, 2.4  # the trunk is thick


def residual_picture(kind: str) -> Picture:
    """Draw the encoder block with ``kind="pre"`` (Xiong et al. 2020, figure 1b) or ``"post"`` (figure 1a).

    Raises:
        InputError: the kind is another word.
    """
    require(kind in FORMULA, "kind", kind, "'pre' or 'post'")
    with canvas(3.4, 5.2) as (figure, ax):
        ax.text(TRUNK, -0.45, "x", ha="center", va="center", fontsize=11)
        for start, name in ((0.0, "attention"), (4.0, "feed-forward")):
            (_pre if kind == "pre" else _post)(ax, start, name)
        ax.text(TRUNK, 8.35, "output", ha="center", va="center")
        ax.set(xlim=(0, 4.4), ylim=(-0.8, 8.7), title=f"{kind}-norm: {FORMULA[kind]}")
        ax.axis("off")
        return Picture(figure, ALT[kind])


def _pre(ax: Axes, y: float, name: str) -> None:
    """Norm and sublayer on the branch; the trunk carries x untouched."""
    _branch(ax, y, (("LayerNorm", y + 1.1), (name, y + 2.2)), join=y + 3.1)
    _trunk(ax, y or FOOT, y + 2.9)
    _trunk(ax, y + 3.3, y + 4.0, head=y > 0)


def _post(ax: Axes, y: float, name: str) -> None:
    """Sublayer on the branch; the norm stands on the trunk, after the addition."""
    _branch(ax, y, ((name, y + 1.1),), join=y + 2.0)
    _trunk(ax, y or FOOT, y + 1.8)
    _trunk(ax, y + 2.2, y + 2.64)
    _box(ax, TRUNK, y + 3.0, "LayerNorm")
    _trunk(ax, y + 3.36, y + 4.0, head=y > 0)


def _branch(ax: Axes, y: float, boxes: tuple[tuple[str, float], ...], join: float) -> None:
    """From the trunk to the right, up through the boxes, and back into the addition."""
    ax.plot([TRUNK, BRANCH], [y + 0.3, y + 0.3], color=INK, linewidth=THIN)
    below = y + 0.3
    for name, middle in boxes:
        _arrow(ax, (BRANCH, below), (BRANCH, middle - TALL / 2 - 0.05))
        _box(ax, BRANCH, middle, name)
        below = middle + TALL / 2 + 0.05
    ax.plot([BRANCH, BRANCH], [below, join], color=INK, linewidth=THIN)
    _arrow(ax, (BRANCH, join), (TRUNK + 0.22, join))
    ax.plot(TRUNK, join, "o", color=INK, fillstyle="none", markersize=15)
    ax.text(TRUNK, join - 0.015, "+", ha="center", va="center", fontsize=11)


def _box(ax: Axes, x: float, y: float, name: str) -> None:
    corner, width = (x - HALF[x], y - TALL / 2), 2 * HALF[x]
    ax.add_patch(FancyBboxPatch(corner, width, TALL, "round,pad=0.04", facecolor=FILL[name], edgecolor=INK))
    ax.text(x, y, name, ha="center", va="center", fontsize=9, color="black")


def _trunk(ax: Axes, start: float, end: float, head: bool = True) -> None:
    _arrow(ax, (TRUNK, start), (TRUNK, end), "-|>" if head else "-", THICK)


def _arrow(ax: Axes, start: Point, end: Point, style: str = "-|>", wide: float = THIN) -> None:
    look = {"arrowstyle": style, "color": INK, "shrinkA": 0, "shrinkB": 0, "linewidth": wide}
    ax.annotate("", end, start, arrowprops=look)
