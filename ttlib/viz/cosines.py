"""Cosines of vectors with each other, ordered by group: a block on the diagonal is a group that holds together."""

from collections.abc import Sequence
from itertools import groupby

import torch

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.style import WIDTH, Picture, canvas


def cosine_map(values: Float[Tensor, "N N"], groups: Sequence[str], *, title: str = "") -> Picture:
    """Draw cosines from 0 to 1 in cividis, lines between the groups, and each group's name once.

    Raises:
        InputError: the matrix is not square, there is not one group per row, or a group stands in two places.
    """
    wanted = (len(groups), len(groups))
    require(tuple(values.shape) == wanted, "values", tuple(values.shape), f"{wanted}: one group per row")
    sizes = [(name, len(list(members))) for name, members in groupby(groups)]
    require(len(sizes) == len(set(groups)) > 0, "groups", [name for name, _ in sizes], "each in one piece")
    with canvas(WIDTH, 0.95 * WIDTH) as (figure, ax):
        image = ax.imshow(values.detach().float().cpu().numpy(), cmap="cividis", vmin=0, vmax=1, interpolation="none")
        middles, end = [], 0
        for _, size in sizes:
            middles.append(end + (size - 1) / 2)
            end += size
            if end < len(groups):
                ax.axhline(end - 0.5, color="white", linewidth=1.5)
                ax.axvline(end - 0.5, color="white", linewidth=1.5)
        names = [name for name, _ in sizes]
        ax.set_xticks(middles, names)
        ax.set_yticks(middles, names, rotation=90, va="center")
        ax.set(title=title)
        ax.grid(visible=False)
        figure.colorbar(image, ax=ax, shrink=0.8, label="cosine")
        return Picture(figure, _told(values, groups, title))


def _told(values: Tensor, groups: Sequence[str], title: str) -> str:
    """The map in words: mean cosine within each group, and between two."""
    names = list(dict.fromkeys(groups))
    place = {name: torch.tensor([group == name for group in groups]) for name in names}
    means = []
    for i, a in enumerate(names):
        for b in names[i:]:
            block = values[place[a]][:, place[b]]
            pairs = block[~torch.eye(len(block), dtype=torch.bool)] if a == b else block.flatten()
            if len(pairs):
                means.append(f"{a} with {b} {float(pairs.mean()):.2f}")
    start = f"{title}: map" if title else "Map"
    return f"{start} of the cosines of {len(groups)} vectors in {len(names)} groups. Mean cosine: {'; '.join(means)}."
