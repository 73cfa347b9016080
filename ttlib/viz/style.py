"""The look of every figure, and the object that a cell shows.

A figure is inline SVG: it is sharp on a phone and in print, its ink is the page's text colour (so light
and dark both work), it needs no kernel and no outside file, and its text alternative travels with it.
"""

import hashlib
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ttlib.errors import require

INK = "#010203"  # stands for the page's text colour; no figure uses it otherwise
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # of Okabe & Ito 2008: those seen on white and on black
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", "--", "-.", ":")
WIDTH = 4.4  # inches: two figures fit beside each other in the book's column, one fills a phone
RC: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and scaled
    "svg.hashsalt": "ttlib",  # the same figure gives the same bytes
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
    ),
}


@contextmanager
def canvas(width: float = WIDTH, height: float = 3.0) -> Iterator[tuple[Figure, Axes]]:
    """A figure of this size in inches, in the book's look; draw and make the `Picture` inside the ``with``."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


class Picture:
    """A drawn figure with its text alternative. As a cell's last line it shows itself; ``a | b`` stands side by side.

    Raises:
        InputError: the text alternative is empty.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        require(bool(alt.strip()), "alt", alt, "a sentence that says what the figure shows")
        self.alt = alt
        self.svgs = [to_svg(figure)]

    def __or__(self, other: "Picture") -> "Picture":
        """Both figures in one row, or below each other where the page is narrow."""
        both = Picture.__new__(Picture)
        both.alt, both.svgs = f"{self.alt} {other.alt}", self.svgs + other.svgs
        return both

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        style = "display:flex;flex-wrap:wrap;gap:1em;justify-content:center"
        return (
            f'<div class="tt-figure" role="img" aria-label="{html.escape(self.alt)}" style="{style}">'
            + "".join(self.svgs)
            + "</div>"
        )


def to_svg(figure: Figure) -> str:
    """The figure as an ``<svg>`` element in the page's text colour, with ids that no other figure has."""
    buffer = io.StringIO()
    with matplotlib.rc_context(RC):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 sans-serif", svg)
    svg = svg.replace(INK, "currentColor")
    key = "tt" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", svg)
    width = figure.get_figwidth() * 96
    size = f'style="flex:1 1 260px;max-width:{width:.0f}px;height:auto"'
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"|height="[\d.]+pt" width="[\d.]+pt"', size, svg, count=1)


def shorten(text: str, limit: int = 14) -> str:
    """A label that fits: long ones end in ``…``."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
