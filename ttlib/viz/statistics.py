"""Which numbers of a batch share one mean and one standard deviation."""

from collections.abc import Sequence

from matplotlib.colors import ListedColormap

from ttlib.errors import require
from ttlib.viz.style import COLOURS, WIDTH, Picture, canvas, shorten

GREY, BLUE = "#9aa0a6", COLOURS[0]
N_FEATURES = 6
TOKEN, FEATURE = 1, 2  # the row and the column that are marked
TITLE = {"layer": "LayerNorm: one token", "batch": "BatchNorm: one feature"}


def statistics_picture(kind: str, sentences: Sequence[Sequence[str]]) -> Picture:
    """A batch as a table, one row per token and one column per feature; blue with a dot = they share statistics.

    ``kind`` is ``"layer"`` (Ba et al. 2016, §3) or ``"batch"`` (Ioffe & Szegedy 2015, algorithm 1).

    Raises:
        InputError: the kind is another word, or there are fewer than two sentences or two tokens in the first.
    """
    require(kind in TITLE, "kind", kind, "'layer' or 'batch'")
    require(
        len(sentences) > 1 and len(sentences[0]) > TOKEN, "sentences", sentences, "two or more, of two or more tokens"
    )
    tokens = [token for sentence in sentences for token in sentence]
    shared = [
        [row == TOKEN if kind == "layer" else column == FEATURE for column in range(N_FEATURES)]
        for row in range(len(tokens))
    ]
    with canvas(WIDTH, 1.1 + 0.3 * len(tokens)) as (figure, ax):
        ax.imshow(shared, cmap=ListedColormap([GREY, BLUE]), vmin=0, vmax=1, interpolation="none", aspect="auto")
        for row, marks in enumerate(shared):
            for column in (c for c, mark in enumerate(marks) if mark):
                ax.plot(column, row, "o", color="white", markersize=4)
        for edge in range(len(tokens)):
            ax.axhline(edge - 0.5, color="white", linewidth=0.8)
        for edge in range(N_FEATURES):
            ax.axvline(edge - 0.5, color="white", linewidth=0.8)
        end = 0
        for sentence in sentences[:-1]:
            end += len(sentence)
            ax.axhline(end - 0.5, color=ax.xaxis.label.get_color(), linewidth=3)
        ax.set_xticks(range(N_FEATURES), [str(c + 1) for c in range(N_FEATURES)])
        ax.set_yticks(range(len(tokens)), [shorten(token) for token in tokens])
        ax.set(xlabel="feature", ylabel="token", title=TITLE[kind])
        ax.grid(visible=False)
        return Picture(figure, _told(kind, sentences, tokens))


def _told(kind: str, sentences: Sequence[Sequence[str]], tokens: Sequence[str]) -> str:
    batch = " / ".join(" ".join(sentence) for sentence in sentences)
    marked = (
        f"all {N_FEATURES} features of the token {tokens[TOKEN]}, and nothing else"
        if kind == "layer"
        else f"feature {FEATURE + 1} of all {len(tokens)} tokens of all sentences, padding included"
    )
    size = f"{len(sentences)} sentences ({batch}), {N_FEATURES} features per token"
    return f"A batch of {size}. Sharing statistics: {marked}."
