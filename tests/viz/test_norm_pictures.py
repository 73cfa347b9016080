"""The two blocks, and the numbers that share statistics."""

import re

import pytest

from ttlib.errors import InputError
from ttlib.viz import residual_picture, statistics_picture

BATCH = [["the", "cat", "sat"], ["it", "ran", "(pad)"]]


def words_in(page: str) -> list[str]:
    return re.findall(r">\s*([^<>]+?)\s*</t(?:ext|span)>", page)


@pytest.mark.parametrize(("kind", "formula"), [("pre", "x + F(LayerNorm(x))"), ("post", "LayerNorm(x + F(x))")])
def test_a_block_has_two_norms_and_two_additions(kind: str, formula: str) -> None:
    shown = words_in(residual_picture(kind)._repr_html_())
    assert shown.count("LayerNorm") == shown.count("+") == 2
    assert {"attention", "feed-forward", "x", "output"} <= set(shown)
    assert any(formula in text for text in shown)


def test_the_two_blocks_differ_in_drawing_and_text() -> None:
    pre, post = residual_picture("pre"), residual_picture("post")
    assert "meets nothing but two additions" in repr(pre)
    assert "added to the trunk before its LayerNorm" in repr(post)
    columns = [re.findall(r'<text [^>]*x="([\d.]+)"[^>]*>LayerNorm<', p._repr_html_()) for p in (pre, post)]
    assert len(set(columns[0])) == len(set(columns[1])) == 1
    assert float(columns[0][0]) > float(columns[1][0])  # on the branch, to the right; on the trunk


def test_the_marked_numbers_are_one_row_or_one_column() -> None:
    layer, batch = (statistics_picture(kind, BATCH) for kind in ("layer", "batch"))
    assert "all 6 features of the token cat, and nothing else" in repr(layer)
    assert "feature 3 of all 6 tokens of all sentences, padding included" in repr(batch)
    assert layer._repr_html_().count("(pad)") > 1  # in the text and in the drawing


def test_more_sentences_more_dots() -> None:
    def dots(kind: str, sentences: list[list[str]]) -> int:
        return len(re.findall(r"<use ", statistics_picture(kind, sentences)._repr_html_()))

    longer = [*BATCH, ["he", "sat"]]
    grown = {kind: dots(kind, longer) - dots(kind, BATCH) for kind in ("layer", "batch")}
    assert grown["batch"] - grown["layer"] == 2  # a dot for each further token, besides its tick


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: residual_picture("mid"), "kind: got 'mid', need 'pre' or 'post'"),
        (lambda: statistics_picture("group", BATCH), "kind: got 'group', need 'layer' or 'batch'"),
        (lambda: statistics_picture("layer", BATCH[:1]), "sentences: got .*, need two or more"),
        (lambda: statistics_picture("layer", [["a"], ["b"]]), "sentences: got .*, need two or more"),
    ],
)
def test_other_words_are_refused(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
