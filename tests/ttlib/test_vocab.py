"""A vocabulary, and what subsampling and noise make of its counts."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.text.vocab import Vocabulary, keep_probability, noise_distribution

SENTENCES = [["the", "cat", "sat"], ["the", "dog"], ["a", "cat", "the"]]
COUNTS = torch.tensor([60_000, 3_000, 100, 5])


def test_the_most_frequent_word_comes_first_and_ties_are_alphabetical():
    vocab = Vocabulary(SENTENCES)
    assert vocab.words == ["the", "cat", "a", "dog", "sat"]
    assert vocab.counts.tolist() == [3, 2, 1, 1, 1]
    assert (len(vocab), vocab.dropped, "cat" in vocab, "cow" in vocab) == (5, 0, True, False)
    assert Vocabulary(SENTENCES[::-1]).words == vocab.words


def test_rare_words_are_dropped_and_counted():
    vocab = Vocabulary(SENTENCES, min_count=2)
    assert (vocab.words, vocab.dropped) == (["the", "cat"], 3)


def test_encode_leaves_words_without_an_id_out():
    ids, places = Vocabulary(SENTENCES, min_count=2).encode([*SENTENCES, ["cow"], ["cat"]])
    assert ids.tolist() == [0, 1, 0, 1, 0, 1]
    assert places.tolist() == [0, 0, 1, 2, 2, 4]


def test_keep_probability_is_the_closed_form():
    keep = keep_probability(COUNTS, 1e-3)
    share = [60_000 / 63_105, 3_000 / 63_105]
    expected = [(1e-3 / f) ** 0.5 + 1e-3 / f for f in share]
    torch.testing.assert_close(keep, torch.tensor([*expected, 1.0, 1.0]))
    assert keep_probability(COUNTS, 0.0).tolist() == [1, 1, 1, 1]
    wrong = [(1e-3 / f) ** 0.5 for f in share]  # without the program's second term
    assert max(abs(a - b) for a, b in zip(wrong, expected, strict=True)) > 0.01


def test_noise_is_the_counts_to_the_power_of_three_quarters():
    noise = noise_distribution(COUNTS)
    raised = [n**0.75 for n in COUNTS.tolist()]
    torch.testing.assert_close(noise, torch.tensor([r / sum(raised) for r in raised]))
    torch.testing.assert_close(noise_distribution(COUNTS, 0.0), torch.full((4,), 0.25))
    torch.testing.assert_close(noise_distribution(COUNTS, 1.0), COUNTS / COUNTS.sum())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Vocabulary(SENTENCES, min_count=0), "min_count: got 0, need at least 1"),
        (lambda: Vocabulary(SENTENCES, min_count=9), "sentences: got '5 different words', need one that comes 9 times"),
        (lambda: Vocabulary([]), "sentences: got '0 different words', need one that comes 1 times"),
        (lambda: keep_probability(COUNTS, -1.0), r"threshold: got -1.0, need 0 \(keep all\) or a small positive share"),
        (lambda: keep_probability(COUNTS * 0, 1e-3), "counts: got 0, need positive counts"),
        (lambda: noise_distribution(COUNTS, -1.0), r"power: got -1.0, need 0 \(all alike\) to 1"),
        (lambda: noise_distribution(COUNTS - 5), "counts: got 0, need positive counts"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
