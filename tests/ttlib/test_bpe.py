"""Byte-pair encoding: worked numbers, the clear trainer against the fast one and against the library, ties included."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ttlib.bpe_reference import merges_of, trained
from ttlib.errors import InputError
from ttlib.text import bpe, bpe_fast
from ttlib.text.bpe import count_pairs, merge
from ttlib.text.splitting import Bytes, Spaces
from ttlib.text.tokeniser import BPE

PAPER = {"low": 5, "lower": 2, "newest": 6, "widest": 3}  # Sennrich et al. 2015, algorithm 1
TEXTS = [" ".join(word for word, count in PAPER.items() for _ in range(count))]
MESSY = ["aaaa aaa aa a", "baaab abab bab", "aaaaaaa bbbbbbb", "abcabcabc cab cba", "Ёж ёж ежи, еже", "中文中文 中"]
FEW_LETTERS = st.lists(st.text("aab ", max_size=14), min_size=1, max_size=8).filter(
    lambda ts: any(t.strip() for t in ts)
)


def words_of(texts: list[str]) -> tuple[Counter[tuple[str, ...]], list[str]]:
    words = Counter(tuple(word) for text in texts for word in Spaces().words(text))
    return words, sorted({letter for word in words for letter in word})


def test_pairs_of_the_paper() -> None:
    """By hand: ``es`` and ``st`` 6 + 3 times, ``lo`` and ``ow`` 5 + 2 times."""
    pairs = count_pairs({tuple(word): count for word, count in PAPER.items()})
    assert (pairs["e", "s"], pairs["s", "t"], pairs["l", "o"], pairs["o", "w"]) == (9, 9, 7, 7)
    assert (pairs["w", "e"], pairs["i", "d"], pairs["x", "y"]) == (8, 3, 0)


def test_merging_goes_from_left_to_right() -> None:
    assert merge(tuple("aaaaab"), ("a", "a")) == ("aa", "aa", "a", "b")
    assert merge(tuple("abcabc"), ("a", "b")) == ("ab", "c", "ab", "c")
    assert merge(tuple("abc"), ("a", "c")) == ("a", "b", "c")
    assert merge((), ("a", "b")) == ()


def test_merges_of_the_paper() -> None:
    """By hand. ``es`` ties with ``st``: e comes before s in the alphabet."""
    words = {tuple(word): count for word, count in PAPER.items()}
    alphabet = sorted(set("".join(PAPER)))
    merges = bpe.learn(words, alphabet, len(alphabet) + 4)
    assert merges == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]


def test_of_equal_pairs_the_smaller_ids_win() -> None:
    words = {("a", "b"): 1, ("b", "a"): 1, ("a", "c"): 1}
    assert bpe.learn(words, ["a", "b", "c"], 4) == [("a", "b")]
    assert bpe.learn(words, ["c", "b", "a"], 4) == [("b", "a")]
    assert bpe.learn(words, ["a", "c", "b"], 4) == [("a", "c")]
    assert bpe.learn({**words, ("b", "c"): 2}, ["a", "b", "c"], 4) == [("b", "c")]


@pytest.mark.parametrize("learn", [bpe.learn, bpe_fast.learn])
@pytest.mark.parametrize("texts", [TEXTS, MESSY, TEXTS + MESSY])
def test_learn_equals_library(learn, texts) -> None:
    for splitter in (Spaces(), Bytes()):
        start = len(BPE.train(texts, 400, splitter).vocab) if isinstance(splitter, Spaces) else 330
        for size in (start, start - 9):
            ours = BPE.train(texts, size, splitter, ["<pad>", "<unk>"], "<unk>", learn=learn)
            theirs = trained(splitter, texts, size, ["<pad>", "<unk>"], "<unk>")
            assert ours.merges == merges_of(theirs)
            assert ours.vocab == theirs.get_vocab()


@given(FEW_LETTERS, st.integers(1, 40))
def test_learn_on_ties_equals_library(texts: list[str], more: int) -> None:
    """Few letters and short texts: nearly every choice is a tie, and runs of one letter overlap."""
    words, alphabet = words_of(texts)
    merges = bpe.learn(words, alphabet, len(alphabet) + more)
    assert merges == bpe_fast.learn(words, alphabet, len(alphabet) + more)
    assert merges == merges_of(trained(Spaces(), texts, len(alphabet) + more))


def largest_first(words, vocab, vocab_size) -> list[bpe.Pair]:
    """Ties the other way round."""
    back = vocab[::-1]
    return bpe.learn(words, back, vocab_size)


def first_met(words, vocab, vocab_size) -> list[bpe.Pair]:
    """Ties by who came first, as ``max(pairs, key=pairs.get)`` has it."""
    merges: list[bpe.Pair] = []
    while len(merges) < vocab_size - len(vocab) and (pairs := count_pairs(words)):
        merges.append(max(pairs, key=pairs.__getitem__))
        words = {merge(word, merges[-1]): count for word, count in words.items()}
    return merges


def uncounted(words, vocab, vocab_size) -> list[bpe.Pair]:
    """Each distinct word counted once."""
    return bpe.learn(dict.fromkeys(words, 1), vocab, vocab_size)


@pytest.mark.parametrize("mutant", [largest_first, first_met, uncounted])
def test_learn_mutants_differ(mutant) -> None:
    texts = [" ".join(MESSY), *TEXTS]
    words, alphabet = words_of(texts)
    size = len(alphabet) + 20
    right = merges_of(trained(Spaces(), texts, size))
    assert bpe.learn(words, alphabet, size) == right
    assert mutant(words, alphabet, size) != right


@pytest.mark.parametrize("learn", [bpe.learn, bpe_fast.learn])
def test_training_stops_when_nothing_is_left(learn) -> None:
    assert learn({("a",): 5}, ["a"], 10) == []
    assert learn({}, ["a"], 10) == []
    assert learn({("a", "b", "c"): 1}, ["a", "b", "c"], 10) == [("a", "b"), ("ab", "c")]
    assert learn({("a", "b"): 2, ("b", "c"): 1}, ["a", "b", "c"], 10, 2) == [("a", "b")]
    assert learn({("a", "b"): 2}, ["a", "b"], 2) == []


@pytest.mark.parametrize("learn", [bpe.learn, bpe_fast.learn])
def test_wrong_input(learn) -> None:
    with pytest.raises(InputError, match="vocab: got 1, need every symbol of the words, also 'b'"):
        learn({("a", "b"): 1}, ["a"], 5)
    with pytest.raises(InputError, match="vocab_size: got 1, need at least 2: the symbols alone take that"):
        learn({("a", "b"): 1}, ["a", "b"], 1)
    with pytest.raises(InputError, match=r"vocab: got 2, need no symbol twice \(it has 1 different ones\)"):
        learn({("a",): 1}, ["a", "a"], 5)
    with pytest.raises(InputError, match="min_count: got 0, need 1 or more"):
        learn({("a",): 1}, ["a"], 5, 0)
    with pytest.raises(InputError, match="vocab_size: got 2000000, need at most 1114112"):
        bpe_fast.learn({("a",): 1}, ["a"], 2_000_000)


@given(FEW_LETTERS, st.text("ab", max_size=30), st.integers(1, 40))
def test_both_encoders_give_the_same(texts: list[str], word: str, more: int) -> None:
    words, alphabet = words_of(texts)
    ranks = {pair: rank for rank, pair in enumerate(bpe.learn(words, alphabet, len(alphabet) + more))}
    slow = bpe.encode(list(word), ranks)
    assert bpe_fast.encode(list(word), ranks) == slow
    assert "".join(slow) == word


def test_a_long_word_is_encoded_quickly() -> None:
    """100,000 letters without a space: n² would take hours."""
    ranks = {("a", "b"): 0, ("ab", "ab"): 1, ("abab", "abab"): 2}
    assert bpe_fast.encode(list("ab" * 50_000), ranks) == ["abababab"] * 12_500
