"""Alignment on examples small enough to follow by hand."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.text.alignment import alignment_error, lexicon_links, word_numbers, word_weights

LEXICON = {"дом": "house", "кот": "cat", "котик": "cat", "и": "and"}


def test_words_begin_at_the_mark() -> None:
    assert word_numbers(["▁trans", "form", "er", "s", "▁are", "▁", "!"]) == [0, 0, 0, 0, 1, 2, 2]
    assert word_numbers(["▁a", "▁b", "▁c"]) == [0, 1, 2]
    assert word_numbers([]) == []


def test_word_weights_are_summed_over_the_source_and_averaged_over_the_target() -> None:
    weights = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.0, 0.5, 0.5, 0.0], [0.25, 0.0, 0.25, 0.5]])
    found = word_weights(weights, [0, 0, 1], [0, 0, 1])  # two words each; the last column is eos
    expected = [[(0.75 + 0.5) / 2, (0.125 + 0.5) / 2], [0.25, 0.25]]
    assert torch.equal(found, torch.tensor(expected))
    heads = torch.stack([weights, weights.flip(0)])[None]  # (1, 2, T, S)
    both = word_weights(heads, [0, 0, 1], [0, 0, 1])
    assert both.shape == (1, 2, 2, 2)
    assert torch.equal(both[0, 0], found)


def test_word_weights_of_whole_words_change_nothing() -> None:
    weights = torch.rand(3, 4, dtype=torch.float64)
    assert torch.equal(word_weights(weights, [0, 1, 2], [0, 1, 2, 3]), weights)


def test_links_are_the_lexicons() -> None:
    possible, sure = lexicon_links("Кот, и дом и котик.", "The cat and house!", LEXICON)
    assert possible.tolist() == [
        [False] * 5,
        [True, False, False, False, True],  # cat: кот and котик
        [False, True, False, True, False],  # and: и twice
        [False, False, True, False, False],
    ]
    assert sure.nonzero().tolist() == [[3, 2]]


def test_a_source_word_with_two_translations_beside_it_is_not_sure() -> None:
    possible, sure = lexicon_links("дом", "house house", LEXICON)
    assert possible.tolist() == [[True], [True]]
    assert not sure.any()


def test_marks_and_unknown_words_are_linked_to_nothing() -> None:
    possible, sure = lexicon_links("— небо", "— sky", LEXICON)
    assert possible.shape == (2, 2)
    assert not possible.any()
    assert not sure.any()
    assert lexicon_links("", "", LEXICON)[0].shape == (0, 0)


@pytest.mark.parametrize(
    ("counts", "error"),
    [((4, 4, 4, 4), 0.0), ((4, 2, 4, 2), 0.0), ((4, 4, 0, 0), 1.0), ((5, 3, 3, 1), 0.5), ((0, 2, 0, 0), 1.0)],
)
def test_alignment_error(counts: tuple[int, int, int, int], error: float) -> None:
    assert alignment_error(*counts) == pytest.approx(error)


def test_wrong_input() -> None:
    with pytest.raises(InputError, match="pieces: got .'form'., need a first piece that begins with ▁"):
        word_numbers(["form", "▁a"])
    with pytest.raises(InputError, match="tgt_words: got 1, need one per row, 3"):
        word_weights(torch.rand(3, 4), [0], [0, 1])
    with pytest.raises(InputError, match="src_words: got 5, need at most 4 columns"):
        word_weights(torch.rand(3, 4), [0, 1, 2], [0, 1, 2, 3, 4])
    with pytest.raises(InputError, match="n_found: got 0, need a link that was found or one that is sure"):
        alignment_error(0, 0, 0, 0)
