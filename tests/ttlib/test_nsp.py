"""Pairs of segments: what is true follows, what is false does not, and neither length nor form gives it away."""

import random
from bisect import bisect_right
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ttlib.tiny_documents import corpus
from ttlib.data.documents import Corpus
from ttlib.data.nsp import DIFFERENT, FOLLOWS, PairRule, SpanPair, pair_length, pair_rows, sentence_pairs
from ttlib.errors import InputError
from ttlib.text.wordpiece import CLS_ID, PAD_ID, SEP_ID

LONG = corpus(400, longest=15)


def pairs(texts: Corpus = LONG, seed: int = 0, **rule: float) -> list[SpanPair]:
    return list(sentence_pairs(texts, PairRule(**{"max_len": 60, **rule}), random.Random(seed)))


def sentence_at(texts: Corpus, place: int) -> int:
    return bisect_right(texts.starts, place) - 1


def document_of(texts: Corpus, sentence: int) -> int:
    return bisect_right(texts.first, sentence) - 1


@settings(max_examples=60)
@given(
    follows=st.sampled_from([0.0, 0.5, 1.0]), hard=st.sampled_from([0.0, 0.5, 1.0]), min_len=st.integers(8, 30),
    more=st.integers(0, 60), seed=st.integers(0, 999), n=st.integers(2, 20), longest=st.sampled_from([1, 5, 40]),
)  # fmt: skip
def test_every_pair_is_what_its_label_says(
    follows: float, hard: float, min_len: int, more: int, seed: int, n: int, longest: int
) -> None:
    texts = corpus(n, seed, longest)
    rule = PairRule(follows=follows, hard=hard, min_len=min_len, max_len=min_len + more)
    for pair in sentence_pairs(texts, rule, random.Random(seed)):
        (a, b, label), own = pair, document_of(texts, sentence_at(texts, pair.a[0]))
        assert a[0] < a[1]
        assert b[0] < b[1]
        assert pair_length(pair) <= rule.max_len
        assert a[1] in texts.starts  # A ends where a sentence does
        assert b[0] in texts.starts  # and B begins where one does
        first = sentence_at(texts, b[0])
        assert document_of(texts, sentence_at(texts, b[1] - 1)) == document_of(texts, first)
        assert document_of(texts, sentence_at(texts, a[1] - 1)) == own
        if label == FOLLOWS:
            assert a[1] == b[0]
            assert document_of(texts, first) == own
        elif document_of(texts, first) == own:
            assert 1 <= first - sentence_at(texts, a[1]) <= 3
        else:
            same = [group for group in texts.groups if own in group]
            assert document_of(texts, first) in same[0]
    assert {pair.label for pair in pairs(texts, follows=1.0)} <= {FOLLOWS}


def test_shares_of_kinds() -> None:
    found = pairs()
    n = len(found)
    assert n > 500
    right = sum(pair.label == FOLLOWS for pair in found) / n
    assert abs(right - 0.5) < 4 * (0.25 / n) ** 0.5
    near = [pair.a[1] < pair.b[0] < pair.a[1] + 60 for pair in found if pair.label == DIFFERENT]
    assert 0.3 < sum(near) / len(near) < 0.6  # a document's last pair has no room for a gap
    easy = pairs(hard=0.0)
    assert all(
        document_of(LONG, sentence_at(LONG, p.a[0])) != document_of(LONG, sentence_at(LONG, p.b[0]))
        for p in easy
        if p.label == DIFFERENT
    )


def test_length_does_not_tell_the_label() -> None:
    texts = corpus(1500, 1, 15, fewest=15)
    for hard in (0.0, 0.5):
        lengths: dict[int, list[int]] = {FOLLOWS: [], DIFFERENT: []}
        for pair in pairs(texts, hard=hard):
            lengths[pair.label].append(pair.b[1] - pair.b[0])
        means = {label: sum(values) / len(values) for label, values in lengths.items()}
        assert abs(means[FOLLOWS] - means[DIFFERENT]) < 0.5, (hard, means)


def test_a_pure_function_of_the_generator() -> None:
    assert pairs(seed=3) == pairs(seed=3)
    assert pairs(seed=3) != pairs(seed=4)


def test_true_pairs_alone_cover_the_text() -> None:
    covered: Counter[int] = Counter()
    for pair in pairs(follows=1.0, hard=0.0, max_len=60):
        covered.update(range(*pair.a))
        covered.update(range(*pair.b))
    assert set(covered.values()) == {1}  # nothing twice
    assert len(covered) > 0.6 * len(LONG.ids)


def test_rows_hold_both_segments() -> None:
    found = pairs()[:5]
    ids, segments, labels = pair_rows(LONG, found)
    assert ids.size(1) % 8 == 0
    assert ids.dtype == segments.dtype == torch.int64
    for row, pair in enumerate(found):
        a, b = (LONG.ids[slice(*span)].tolist() for span in pair[:2])
        text = [CLS_ID, *a, SEP_ID, *b, SEP_ID]
        assert ids[row].tolist() == text + [PAD_ID] * (ids.size(1) - len(text))
        wanted = [0] * (len(a) + 2) + [1] * (len(b) + 1)
        assert segments[row].tolist() == wanted + [0] * (ids.size(1) - len(text))
        assert labels[row] == pair.label


def test_one_document_has_no_easy_pairs() -> None:
    texts = corpus(1, fewest=12)
    lonely = Corpus(texts.ids, texts.starts, texts.first, [[0]])
    assert pairs(lonely, follows=0.0, hard=0.0) == []
    assert len(pairs(lonely, follows=0.0, hard=1.0)) > 0


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"follows": 1.5}, "follows: got 1.5, need a share between 0 and 1"),
        ({"hard": -0.1}, "hard: got -0.1, need a share between 0 and 1"),
        ({"min_len": 7}, "min_len: got 7, need at least 8: three special tokens and two segments"),
        ({"max_len": 10}, "max_len: got 10, need at least min_len=16"),
    ],
)
def test_bad_rules(rule: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        PairRule(**rule)
    assert str(caught.value) == message


def test_no_pairs() -> None:
    with pytest.raises(InputError, match="pairs: got 0, need at least one"):
        pair_rows(LONG, [])
