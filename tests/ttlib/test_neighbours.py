"""Neighbours, analogies and judged pairs on vectors that can be checked by hand."""

import itertools

import pytest
import torch

from ttlib.errors import InputError
from ttlib.text.neighbours import WordVectors, agreement, rank_correlation

WORDS = ["man", "woman", "king", "queen", "apple", "boy", "girl"]
TABLE = torch.tensor(
    [[1.0, 0, 0, 0], [0, 1, 0, 0], [3, 0, 3, 0], [0, 2, 2, 0], [0, 0, 0, 5], [1, 0, 0, 0.5], [0, 1, 0, 0.5]]
)


@pytest.fixture
def vectors():
    return WordVectors(WORDS, TABLE)


def test_vectors_have_length_one(vectors):
    torch.testing.assert_close(vectors.unit.norm(dim=-1), torch.ones(7))
    assert vectors.similarity("man", "king") == pytest.approx(0.5**0.5)


def test_nearest_excludes_the_word_itself(vectors):
    assert [word for word, _ in vectors.nearest("man", 2)] == ["boy", "king"]
    assert "man" not in [word for word, _ in vectors.nearest("man", 6)]


def test_analogy_excludes_the_questions_words(vectors):
    assert vectors.analogy("man", "king", "woman")[0][0] == "queen"
    assert not {"man", "king", "woman"} & {word for word, _ in vectors.analogy("man", "king", "woman", 4)}
    assert vectors.analogy("man", "boy", "woman")[0][0] == "girl"


def test_without_the_exclusion_a_word_of_the_question_would_win():
    table = torch.randn(20, 8)
    vectors = WordVectors([str(i) for i in range(20)], table)
    won = 0
    for a in range(17):
        b, c = a + 1, a + 2
        target = vectors.unit[b] - vectors.unit[a] + vectors.unit[c]
        won += int((vectors.unit @ target).argmax()) in (a, b, c)
        assert vectors.analogy(str(a), str(b), str(c))[0][0] not in (str(a), str(b), str(c))
    assert won > 8


def test_answers_agree_with_analogy():
    vectors = WordVectors(WORDS, torch.randn(7, 3))
    questions = list(itertools.permutations(WORDS, 4))
    expected = [vectors.analogy(a, b, c)[0][0] == d for a, b, c, d in questions]
    assert vectors.answer(questions) == expected
    assert 0 < sum(expected) < len(expected)


def test_a_question_with_an_unknown_word_has_no_answer(vectors):
    assert vectors.answer([("man", "king", "woman", "empress"), ("man", "king", "woman", "queen")]) == [None, True]
    assert vectors.answer([("a", "b", "c", "d")]) == [None]
    assert vectors.answer([]) == []


def test_candidates_limit_the_answers(vectors):
    question = [("man", "king", "woman", "queen")]
    assert vectors.answer(question, candidates=4) == [True]
    assert vectors.answer(question, candidates=3) == [False]


def test_rank_correlation_equals_scipy():
    from scipy.stats import spearmanr

    a, b = torch.randint(0, 9, (2, 60)).double().tolist()  # with ties
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-10)
    assert rank_correlation([1.0, 2.0, 9.0], [1.0, 4.0, 5.0]) == pytest.approx(1)
    assert rank_correlation([1.0, 2.0, 9.0], [5.0, 4.0, 1.0]) == pytest.approx(-1)


def test_rank_correlation_mutant_without_shared_ranks_differs():
    from scipy.stats import spearmanr

    a, b = torch.randint(0, 9, (2, 60), generator=torch.Generator().manual_seed(0)).double().tolist()
    ranks = torch.tensor([a, b]).argsort(-1).argsort(-1).double()
    assert abs(float(torch.corrcoef(ranks)[0, 1]) - spearmanr(a, b).statistic) > 1e-3


def test_agreement_counts_what_is_known(vectors):
    judged = {("man", "boy"): 9.0, ("man", "apple"): 1.0, ("king", "queen"): 5.0, ("man", "moon"): 10.0}
    assert agreement(vectors, judged) == (pytest.approx(1.0), 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: WordVectors(["a"], TABLE), r"words: got 1, need one per row \(7\)"),
        (lambda v: WordVectors(["a"] * 7, TABLE), "words: got .1 different ones., need no word twice"),
        (lambda v: v["moon"], "word: got 'moon', need one of the 7 words with a vector"),
        (lambda v: v.nearest("man", 0), "n: got 0, need at least 1"),
        (lambda v: v.nearest("man", 7), "n: got 7, need at least 1, and no more than there are words"),
        (lambda v: rank_correlation([1.0], [1.0]), "a: got 1, need as many values as b"),
        (lambda v: rank_correlation([1.0, 1.0], [1.0, 2.0]), "values: got .*, need values that differ"),
    ],
)
def test_bad_input(vectors, call, message):
    with pytest.raises(InputError, match=message):
        call(vectors)
