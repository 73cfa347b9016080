"""Attention weights as a heat map: one row per query, one column per key."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.style import WIDTH, Picture, canvas, shorten

ROOM = 32  # letters that fit below a map side by side
NUMBERS_UP_TO = 6  # larger maps have no room for a number in each cell


def heatmap(
    weights: Float[Tensor, "T S"],
    queries: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    title: str = "",
    x: str = "key: who is looked at",
    y: str = "query: who looks",
    alt: str = "",
) -> Picture:
    """Draw weights (rows sum to 1) in cividis. ``keys`` default to the queries: self-attention.

    Raises:
        InputError: there is not one label per row and per column.
    """
    keys = queries if keys is None else keys
    check_labels(weights, queries, keys)
    values = weights.detach().float().cpu().numpy()
    height = 0.9 + 0.9 * WIDTH * len(queries) / max(len(keys), 4)
    with canvas(WIDTH, min(max(height, 1.6), 7.0)) as (figure, ax):
        image = ax.imshow(values, cmap="cividis", vmin=0, vmax=1, interpolation="none", aspect="auto")
        if max(values.shape) <= NUMBERS_UP_TO:
            write_numbers(ax, values)
        label_keys(ax, keys)
        ax.set_yticks(range(len(queries)), [shorten(query) for query in queries])
        ax.set(xlabel=x, ylabel=y, title=title)
        ax.grid(visible=False)
        figure.colorbar(image, ax=ax, shrink=0.8, label="weight")
        return Picture(figure, alt or describe(weights, queries, keys, title))


def label_keys(ax: Axes, keys: Sequence[str]) -> None:
    """Key labels below the columns, slanted where they would not fit."""
    labels = [shorten(key) for key in keys]
    ax.set_xticks(range(len(keys)), labels)
    if sum(len(label) + 3 for label in labels) > ROOM:
        ax.tick_params("x", rotation=60)
        for text in ax.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")


def write_numbers(ax: Axes, values: np.ndarray) -> None:
    """Each weight in its cell, light on dark and dark on light."""
    for (row, column), value in np.ndenumerate(values):
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.5 else "white")


def describe(weights: Float[Tensor, "T S"], queries: Sequence[str], keys: Sequence[str], title: str = "") -> str:
    """The heat map in words: for every query, the key that gets most."""
    best = weights.detach().float().max(-1)
    lines = [
        f"{query} → {keys[column]} {100 * value:.0f} %"
        for query, column, value in zip(queries, best.indices.tolist(), best.values.tolist(), strict=True)
    ]
    name = f"Heat map “{title}”" if title else "Heat map of attention weights"
    return f"{name}, {len(queries)} queries by {len(keys)} keys. Largest weight of each query: {'; '.join(lines)}."


def check_labels(weights: Tensor, queries: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse a matrix that does not have one label per row and per column."""
    require(
        weights.ndim == 2, "weights", tuple(weights.shape), "two axes, (queries, keys); pick a batch row and a head"
    )
    wanted = (len(queries), len(keys))
    require(tuple(weights.shape) == wanted, "weights", tuple(weights.shape), f"{wanted}: one row per query label")
