"""Pictures of positions: a table of vectors as colours, and pairs of numbers that turn."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.attention import NUMBERS_UP_TO
from ttlib.viz.style import COLOURS, INK, WIDTH, Picture, canvas, shorten

PAIRS_UP_TO = 4  # circles that fit side by side
STEP = 2.6  # from one circle's centre to the next


def table_map(
    values: Float[Tensor, "..."],
    *,
    x: str,
    y: str,
    names: tuple[Sequence[str], Sequence[str]] | None = None,
    label: str = "value",
    title: str = "",
    alt: str = "",
) -> Picture:
    """Numbers of either sign as colours, zero in the middle; ``names`` are those of rows and columns, else both count.

    A small table with names has its numbers written into the cells.

    Raises:
        InputError: the table does not have two axes, is empty, or has not one name per row and column.
    """
    require(values.ndim == 2 and values.numel() > 0, "values", tuple(values.shape), "two axes, rows and columns")
    if names is not None:
        wanted = tuple(map(len, names))
        require(tuple(values.shape) == wanted, "values", tuple(values.shape), f"{wanted}: as many as there are names")
    numbers = values.detach().float().cpu()
    top = float(numbers.abs().max()) or 1.0
    with canvas(WIDTH, 3.3) as (figure, ax):
        image = ax.imshow(
            numbers.numpy(), cmap="PuOr", vmin=-top, vmax=top, interpolation="none", aspect="auto"
        )  # purple and orange: told apart by everybody
        ax.set(xlabel=x, ylabel=y, title=title)
        ax.grid(visible=False)
        if names is not None:
            write_names(ax, numbers / top, numbers, names)
        figure.colorbar(image, ax=ax, shrink=0.8, label=label)
        name = f"“{title}”, " if title else ""
        rows, columns = numbers.shape
        told = f"Colour map {name}{rows} rows ({y}) by {columns} columns ({x}), from {numbers.min():.2g} to {top:.2g}."
        return Picture(figure, alt or told)


def write_names(ax: Axes, shades: Tensor, numbers: Tensor, names: tuple[Sequence[str], Sequence[str]]) -> None:
    """Names beside the axes and, in a small table, each number in its cell: light on dark and dark on light."""
    ax.set_yticks(range(len(names[0])), [shorten(name) for name in names[0]])
    ax.set_xticks(range(len(names[1])), [shorten(name) for name in names[1]])
    if max(numbers.shape) <= NUMBERS_UP_TO:
        for i, j in torch.cartesian_prod(*map(torch.arange, numbers.shape)).tolist():
            colour = "white" if abs(shades[i, j]) > 0.6 else "black"
            ax.text(j, i, f"{numbers[i, j]:.2f}", ha="center", va="center", color=colour)


def turning_pairs(turned: Float[Tensor, "T K"], *, title: str = "") -> Picture:
    """One circle per pair of numbers; in it an arrow per position: the first is thick, the last has its number.

    Raises:
        InputError: an odd number of columns, or more pairs than fit.
    """
    length, width = turned.shape
    fits = width % 2 == 0 and 0 < width // 2 <= PAIRS_UP_TO
    require(fits, "turned", tuple(turned.shape), f"1 to {PAIRS_UP_TO} pairs of columns")
    require(length > 1, "turned", tuple(turned.shape), "at least two positions")
    pairs = turned.detach().float().cpu().unflatten(1, (-1, 2))  # (T, K/2, 2)
    pairs = pairs / pairs.norm(dim=-1).amax().clamp(min=1e-9)
    wide = STEP * (width // 2) + 0.2
    with canvas(WIDTH, min(0.5 + 3.15 * WIDTH / wide, 4.0)) as (figure, ax):
        for i in range(width // 2):
            middle = STEP * i
            ax.add_patch(Circle((middle, 0), 1.0, fill=False, edgecolor=INK, alpha=0.3))
            for t, (a, b) in enumerate(pairs[:, i].tolist()):
                ax.annotate("", (middle + a, b), (middle, 0), arrowprops=look(t, length))
            a, b = pairs[-1, i].tolist()
            ax.text(middle + 1.22 * a, 1.22 * b, str(length - 1), ha="center", va="center", fontsize=8)
            ax.text(middle, -1.45, f"pair {i + 1}", ha="center", va="center")
        ax.set(xlim=(-1.4, wide - 1.4), ylim=(-1.7, 1.45), aspect="equal", title=title)
        ax.axis("off")
        return Picture(figure, describe(pairs, title))


def look(t: int, length: int) -> dict[str, object]:
    """An arrow for position t: later ones are fainter and thinner."""
    colour, alpha = (COLOURS[1], 1.0) if t == 0 else (COLOURS[0], 1.0 - 0.6 * t / length)
    width = 2.6 if t == 0 else 1.3
    return {"arrowstyle": "-|>", "color": colour, "alpha": alpha, "linewidth": width, "shrinkA": 0, "shrinkB": 0}


def describe(pairs: Float[Tensor, "T P 2"], title: str) -> str:
    """The circles in words: how far each pair turns at every step."""
    angle = torch.atan2(pairs[..., 1], pairs[..., 0])  # (T, P)
    step = torch.remainder(angle[1] - angle[0] + torch.pi, 2 * torch.pi) - torch.pi
    told = "; ".join(f"pair {i + 1} turns by {value:.3g} radians per position" for i, value in enumerate(step.tolist()))
    return f"{title + ': c' if title else 'C'}ircles with an arrow for each of {len(pairs)} positions: {told}."
