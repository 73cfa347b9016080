"""Which keys and values are computed at which step of writing, and which are kept."""

from collections.abc import Sequence

import torch
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from ttlib.errors import require
from ttlib.viz.attention import label_keys
from ttlib.viz.style import COLOURS, WIDTH, Picture, canvas, shorten

KEPT, NEW = COLOURS[0], COLOURS[1]
STATES = {"not there yet": "none", "kept": KEPT, "computed now": NEW}


def cache_picture(tokens: Sequence[str], cached: bool) -> Picture:
    """One row per step, one column per token: whose key and value are computed at that step, and whose are kept.

    At step t the newest token is the t-th. With a cache its own key and value are the only new ones; without one
    all t are computed again. A dot marks what is computed.

    Raises:
        InputError: there are no tokens.
    """
    require(len(tokens) > 0, "tokens", tokens, "at least one token")
    n = len(tokens)
    there, newest = torch.ones(n, n).tril(), torch.eye(n)
    computed = newest if cached else there  # 1 = computed at this step
    title = f"{'with' if cached else 'without'} a cache: {int(computed.sum())} keys computed"
    with canvas(WIDTH, min(1.7 + 0.3 * n, 7.0)) as (figure, ax):
        ax.imshow(
            (there + computed).numpy(), cmap=ListedColormap(list(STATES.values())), vmin=0, vmax=2, aspect="auto",
            interpolation="none",
        )  # fmt: skip
        rows, columns = computed.nonzero(as_tuple=True)
        ax.plot(columns.tolist(), rows.tolist(), "o", color="white", markersize=4)
        label_keys(ax, tokens)
        ax.set_yticks(range(n), [f"{i + 1}: {shorten(token)}" for i, token in enumerate(tokens)])
        ax.set(xlabel="key and value of", ylabel="step, and its newest token", title=title)
        ax.grid(visible=False)
        shown = [Patch(color=colour, label=state) for state, colour in STATES.items() if state != "not there yet"]
        figure.legend(handles=shown if cached else shown[1:], loc="outside lower center", ncols=2)
        kept = (
            "one at each step; those of all earlier tokens are kept" if cached else "those of all tokens, at each step"
        )
        return Picture(figure, f"Keys over {n} steps, {title}: {kept}.")
