"""Pictures of masks and of padding: what may be seen, and what is filled up."""

from collections.abc import Sequence

import torch
from matplotlib.colors import ListedColormap

from ttlib.errors import require
from ttlib.shapes import Bool, Tensor
from ttlib.viz.attention import check_labels, label_keys
from ttlib.viz.style import COLOURS, WIDTH, Picture, canvas, shorten

GREY, BLUE = "#9aa0a6", COLOURS[0]  # hidden or padding; visible or token


def mask_picture(mask: Bool[Tensor, "T S"], queries: Sequence[str], keys: Sequence[str] | None = None) -> Picture:
    """Who may attend to whom: blue with a dot = may (True), grey = may not.

    Raises:
        InputError: the mask is not boolean, or there is not one label per row and per column.
    """
    keys = queries if keys is None else keys
    require(mask.dtype == torch.bool, "mask", mask.dtype, "torch.bool with True = may attend")
    check_labels(mask, queries, keys)
    with canvas(WIDTH, min(1.2 + 0.3 * len(queries), 7.0)) as (figure, ax):
        ax.imshow(
            mask.cpu().numpy(), cmap=ListedColormap([GREY, BLUE]), vmin=0, vmax=1, interpolation="none", aspect="auto"
        )
        rows, columns = mask.cpu().nonzero(as_tuple=True)
        ax.plot(columns.tolist(), rows.tolist(), "o", color="white", markersize=4)
        label_keys(ax, keys)
        ax.set_yticks(range(len(queries)), [shorten(query) for query in queries])
        ax.set(xlabel="key: who is looked at", ylabel="query: who looks")
        ax.grid(visible=False)
        seen = [
            f"{query}: {', '.join(key for key, may in zip(keys, row, strict=True) if may) or 'nothing'}"
            for query, row in zip(queries, mask.tolist(), strict=True)
        ]
        return Picture(figure, f"Mask, {len(queries)} queries by {len(keys)} keys. May attend: {'; '.join(seen)}.")


def padding_picture(lengths: Sequence[int], title: str = "") -> Picture:
    """A batch as it lies in memory: blue = tokens, grey = padding up to the longest row.

    Raises:
        InputError: there are no rows.
    """
    require(len(lengths) > 0, "lengths", lengths, "the length of at least one row")
    width = max(lengths)
    share = 1 - sum(lengths) / (width * len(lengths))
    with canvas(WIDTH, 2.4) as (figure, ax):
        rows = range(len(lengths))
        ax.barh(rows, [width] * len(lengths), height=1.0, color=GREY)
        ax.barh(rows, lengths, height=1.0, color=BLUE)
        ax.set(xlim=(0, width), ylim=(len(lengths) - 0.5, -0.5), xlabel="position", ylabel="row of the batch")
        ax.set_title(f"{title + ': ' if title else ''}{100 * share:.0f} % padding")
        ax.grid(visible=False)
        return Picture(
            figure,
            f"A batch of {len(lengths)} rows of {min(lengths)} to {width} tokens: {100 * share:.0f} % is padding.",
        )
