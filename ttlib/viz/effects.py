"""Which words moved a decision: each word in a box, shaded and signed by its effect."""

import html
from collections.abc import Sequence

from ttlib.errors import require

BOX = "border-radius:.3em;padding:.1em .4em;text-align:center;line-height:1.3;border:1px solid currentColor"
TOWARDS, AWAY = "0,114,178", "213,94,0"  # blue and vermilion of Okabe & Ito 2008


class Effects:
    """Words with their signed effects below. The numbers carry the meaning too; colour only helps the eye."""

    def __init__(self, words: Sequence[str], effects: Sequence[float], caption: str = "") -> None:
        require(len(words) == len(effects) > 0, "effects", len(effects), f"one per word ({len(words)}), at least one")
        self.words, self.effects, self.caption = list(words), [float(e) for e in effects], caption

    def __repr__(self) -> str:
        told = " ".join(f"{word}:{effect:+.1f}" for word, effect in zip(self.words, self.effects, strict=True))
        return f"{self.caption}: {told}" if self.caption else told

    def _repr_html_(self) -> str:
        largest = max(map(abs, self.effects)) or 1.0
        boxes = []
        for word, effect in zip(self.words, self.effects, strict=True):
            shade = f"background:rgba({TOWARDS if effect > 0 else AWAY},{0.5 * abs(effect) / largest:.2f})"
            text = f"{html.escape(word)}<br><small>{effect:+.1f}</small>"
            boxes.append(f'<span role="listitem" style="{BOX};{shade}">{text}</span>')
        name = html.escape(self.caption or "Effect of each word")
        head = f'<div style="margin:.4em 0 .2em">{html.escape(self.caption)}</div>' if self.caption else ""
        row = (
            f'<div role="list" aria-label="{name}" style="display:flex;flex-wrap:wrap;gap:.4em">{"".join(boxes)}</div>'
        )
        return f'<div class="tt-figure">{head}{row}</div>'

    def __or__(self, other: "Effects") -> "EffectsColumn":
        return EffectsColumn([self, other])


class EffectsColumn:
    """Several sentences below one another."""

    def __init__(self, rows: Sequence[Effects]) -> None:
        self.rows = list(rows)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.rows))

    def _repr_html_(self) -> str:
        return "".join(row._repr_html_() for row in self.rows)


def show_effects(words: Sequence[str], effects: Sequence[float], caption: str = "") -> Effects:
    """Each word with its effect on a decision: positive in blue, negative in vermilion, with the number below.

    Raises:
        InputError: there is not one effect per word, or there are no words.
    """
    return Effects(words, effects, caption)
