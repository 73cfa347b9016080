"""The encoder's picture has the model's own numbers, in both orders; effects are signed, numbered and escaped."""

import re

import pytest

from ttlib.errors import InputError
from ttlib.models.config import EncoderConfig
from ttlib.viz import draw_encoder, show_effects

CONFIG = EncoderConfig(vocab_size=7117, d_model=96, n_heads=3, d_ff=384, n_layers=5)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("pre", [True, False])
def test_the_boxes_hold_the_models_numbers(pre: bool) -> None:
    picture = draw_encoder({**CONFIG.to_dict(), "pre_norm": pre})
    shown = texts(picture.svgs[0])
    for wanted in ("embedding 7,117 × 96", "self-attention, 3 heads", "weights (B, 3, S, S)", "× 5", "ids (B, S)"):
        assert wanted in shown
    assert "feed-forward 96 → 384 → 96" in shown
    assert "inside (B, S, 384)" in shown
    assert shown.count("LayerNorm") == (3 if pre else 2)
    assert shown.count("+") == 3  # positions and two residuals


def test_the_order_of_the_norms_is_told_and_drawn() -> None:
    pre, post = (draw_encoder({**CONFIG.to_dict(), "pre_norm": pre}) for pre in (True, False))
    assert "LayerNorm, then self-attention, 3 heads, then add" in pre.alt
    assert "self-attention, 3 heads, then add, then LayerNorm" in post.alt
    assert "7117 rows of 96 numbers" in pre.alt
    labels = [[t for t in texts(p.svgs[0]) if t in ("LayerNorm", "+")] for p in (pre, post)]
    assert labels == [["+", "LayerNorm", "+", "LayerNorm", "+", "LayerNorm"], ["+", "+", "LayerNorm", "+", "LayerNorm"]]


def test_effects_are_shaded_signed_and_escaped() -> None:
    page = show_effects(["<b>", "not", "so"], [2.0, -1.0, 0.0], "Towards good")._repr_html_()
    assert "&lt;b&gt;<br><small>+2.0</small>" in page
    assert "rgba(0,114,178,0.50)" in page
    assert "rgba(213,94,0,0.25)" in page
    assert 'aria-label="Towards good"' in page
    assert repr(show_effects(["a", "b"], [0.25, -3.0])) == "a:+0.2 b:-3.0"


def test_effects_below_one_another() -> None:
    both = show_effects(["a"], [1.0], "one") | show_effects(["b"], [0.0], "two")
    assert repr(both) == "one: a:+1.0\ntwo: b:+0.0"
    assert both._repr_html_().count('role="list"') == 2


@pytest.mark.parametrize(("words", "effects"), [(["a"], []), ([], []), (["a"], [1.0, 2.0])])
def test_one_effect_per_word(words: list[str], effects: list[float]) -> None:
    with pytest.raises(InputError, match=r"effects: got \d, need one per word"):
        show_effects(words, effects)
