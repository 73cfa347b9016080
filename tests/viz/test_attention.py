"""Heat maps and masks: right labels, right text, clear refusals."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import heatmap, mask_picture, padding_picture

WEIGHTS = torch.tensor([[0.75, 0.25], [0.1, 0.9]])
WORDS = ["Thinking", "Machines"]


def test_the_text_names_each_querys_largest_weight():
    assert repr(heatmap(WEIGHTS, WORDS, title="Two words")) == (
        "Heat map “Two words”, 2 queries by 2 keys. Largest weight of each query: "
        "Thinking → Thinking 75 %; Machines → Machines 90 %."
    )


def test_rows_are_queries_and_columns_are_keys():
    picture = heatmap(WEIGHTS[:1], ["кто"], ["I", "you"])
    assert "кто → I 75 %" in repr(picture)
    page = picture._repr_html_()
    assert all(label in page for label in ("кто", "I", "you", "query: who looks", "key: who is looked at"))


def test_small_maps_show_their_numbers_and_large_ones_do_not():
    assert ">0.75</text>" in heatmap(WEIGHTS, WORDS)._repr_html_()
    assert ">0.14</text>" not in heatmap(torch.full((7, 7), 1 / 7), list("abcdefg"))._repr_html_()


def test_weights_with_a_gradient_or_in_bfloat16_can_be_drawn():
    assert "75 %" in repr(heatmap(WEIGHTS.clone().requires_grad_(), WORDS))
    assert "75 %" in repr(heatmap(WEIGHTS.bfloat16(), WORDS))


def test_axes_can_be_named():
    page = heatmap(WEIGHTS, WORDS, x="half", y="matrix")._repr_html_()
    assert ">half</text>" in page
    assert "who looks" not in page


def test_an_own_text_is_used():
    assert repr(heatmap(WEIGHTS, WORDS, alt="A map.")) == "A map."


@pytest.mark.parametrize(
    ("weights", "queries", "message"),
    [
        (WEIGHTS, ["one"], r"weights: got \(2, 2\), need \(1, 1\): one row per query label"),
        (torch.zeros(2, 3), WORDS, r"weights: got \(2, 3\), need \(2, 2\)"),
    ],
)
def test_wrong_labels_are_refused(weights, queries, message):
    with pytest.raises(InputError, match=message):
        heatmap(weights, queries)


def test_the_mask_says_who_may_attend_to_whom():
    picture = mask_picture(torch.tensor([[True, False], [True, True], [False, False]]), ["a", "b", "c"], ["x", "y"])
    assert repr(picture).endswith("May attend: a: x; b: x, y; c: nothing.")


def test_a_mask_that_is_not_boolean_is_refused():
    # Past the shape checker, which only tests have.
    with pytest.raises(InputError, match=r"mask: got torch\.float32, need torch\.bool"):
        mask_picture.__wrapped__(torch.ones(2, 2), WORDS)


def test_padding_is_counted():
    picture = padding_picture([2, 4, 3], "sorted")
    assert repr(picture) == "A batch of 3 rows of 2 to 4 tokens: 25 % is padding."
    assert "sorted: 25 % padding" in picture._repr_html_()
    with pytest.raises(InputError, match=r"lengths: got \[\], need the length of at least one row"):
        padding_picture([])
