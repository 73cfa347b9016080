"""The decoder block's picture has the model's numbers in both orders; the cache's shows what is computed when."""

import re

import pytest

from ttlib.errors import InputError
from ttlib.models.config import Seq2SeqConfig
from ttlib.viz import cache_picture, draw_decoder_block

CONFIG = Seq2SeqConfig(src_vocab_size=50, tgt_vocab_size=60, d_model=96, n_heads=3, d_ff=384)


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("pre", [True, False])
def test_the_block_holds_the_models_numbers(pre: bool) -> None:
    shown = texts(draw_decoder_block({**CONFIG.to_dict(), "pre_norm": pre}).svgs[0])
    for wanted in ("weights (B, 3, T, T)", "weights (B, 3, T, S)", "k, v: memory (B, S, 96)", "inside (B, T, 384)"):
        assert wanted in shown
    assert "feed-forward 96 → 384 → 96" in shown
    assert shown.count("LayerNorm") == 3
    assert shown.count("+") == 3


def test_the_blocks_order_is_told_and_drawn() -> None:
    pre, post = (draw_decoder_block({**CONFIG.to_dict(), "pre_norm": pre}) for pre in (True, False))
    assert "Second: LayerNorm, then cross-attention, then add" in pre.alt
    assert "Second: cross-attention, then add, then LayerNorm" in post.alt
    labels = [[t for t in texts(p.svgs[0]) if t in ("LayerNorm", "+")] for p in (pre, post)]
    assert labels == [["LayerNorm", "+"] * 3, ["+", "LayerNorm"] * 3]


def test_a_cache_computes_each_key_once() -> None:
    with_cache, without = cache_picture(["a", "b", "c", "d"], True), cache_picture(["a", "b", "c", "d"], False)
    assert "with a cache: 4 keys computed" in texts(with_cache.svgs[0])
    assert "without a cache: 10 keys computed" in texts(without.svgs[0])
    assert "kept" in texts(with_cache.svgs[0])
    assert "kept" not in texts(without.svgs[0])
    assert "4 steps" in with_cache.alt


def test_a_cache_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="tokens: got .* need at least one token"):
        cache_picture([], True)
