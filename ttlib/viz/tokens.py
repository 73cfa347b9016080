"""A text cut into tokens, each in a box with its id."""

import html
from collections.abc import Sequence

from ttlib.errors import require

BOX = "border:1px solid currentColor;border-radius:.3em;padding:.1em .4em;text-align:center;line-height:1.3"


class Tokens:
    """Boxes in a row; they wrap where the page is narrow. The text stays text: no alternative is needed."""

    def __init__(self, pieces: Sequence[str], ids: Sequence[int] | None = None) -> None:
        if ids is not None:
            require(len(ids) == len(pieces), "ids", len(ids), f"one per token ({len(pieces)})")
        self.pieces, self.ids = list(pieces), None if ids is None else list(ids)

    def __repr__(self) -> str:
        if self.ids is None:
            return " ".join(self.pieces)
        return " ".join(f"{piece}:{i}" for piece, i in zip(self.pieces, self.ids, strict=True))

    def _repr_html_(self) -> str:
        boxes = []
        for number, piece in enumerate(self.pieces):
            below = "" if self.ids is None else f'<br><small style="opacity:.8">{self.ids[number]}</small>'
            boxes.append(f'<span role="listitem" style="{BOX}">{html.escape(piece)}{below}</span>')
        style = "display:flex;flex-wrap:wrap;gap:.4em"
        return f'<div class="tt-figure" role="list" aria-label="Tokens" style="{style}">{"".join(boxes)}</div>'


def show_tokens(pieces: Sequence[str], ids: Sequence[int] | None = None) -> Tokens:
    """The tokens of a text, with their ids below if given.

    Raises:
        InputError: there is not one id per token.
    """
    return Tokens(pieces, ids)
