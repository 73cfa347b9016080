"""Scores are sacrebleu's."""

import pytest
import sacrebleu

from ttlib.errors import InputError
from ttlib.generate.score import Score, bleu_gain, score

REFERENCES = [f"And God said to man number {i}, Let there be light in the house of {i} kings." for i in range(20)]
HYPOTHESES = [f"And God said to the man {i}, Let there be a light in house of {i % 7} kings." for i in range(20)]


def test_score_equals_sacrebleu() -> None:
    bleu, chrf = score(HYPOTHESES, REFERENCES, 50)
    assert bleu.value == pytest.approx(sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score)
    assert chrf.value == pytest.approx(sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score)
    assert (bleu.name, chrf.name) == ("BLEU", "chrF2")
    assert "nrefs:1" in bleu.signature
    assert f"version:{sacrebleu.__version__}" in bleu.signature


def test_score_mutant_differs() -> None:
    """The order is not free, and a hypothesis that is too short costs."""
    bleu = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    assert score([line[:-9] for line in HYPOTHESES], REFERENCES, 2)[0].value != pytest.approx(bleu)
    assert score(HYPOTHESES[::-1], REFERENCES, 2)[0].value != pytest.approx(bleu)


def test_a_score_of_zero_in_some_resamples_has_an_interval() -> None:
    bleu, chrf = score(["the cat sat on the mat", "", ""], ["the cat sat on the mat"] * 3, 100)
    assert bleu.low < bleu.value < bleu.high
    assert chrf.low < chrf.value < chrf.high


def test_interval_lies_around_the_value_and_repeats_itself() -> None:
    first, again = score(HYPOTHESES, REFERENCES, 100), score(HYPOTHESES, REFERENCES, 100)
    assert first == again
    for result in first:
        assert 0 < result.low < result.value < result.high < 100


def test_perfect_and_hopeless() -> None:
    bleu, chrf = score(REFERENCES, REFERENCES, 5)
    assert (bleu.value, chrf.value) == (pytest.approx(100), pytest.approx(100))
    bleu, _ = score(["нет"] * 20, REFERENCES, 5)
    assert (bleu.value, bleu.low, bleu.high) == (0.0, 0.0, 0.0)


def test_it_is_printed_with_one_digit() -> None:
    assert str(Score("BLEU", 26.04, 25.06, 26.96, "")) == "BLEU 26.0 [25.1, 27.0]"


def test_wrong_input() -> None:
    with pytest.raises(InputError, match="references: got 0, need at least one sentence"):
        score([], [])
    with pytest.raises(InputError, match="hypotheses: got 1, need as many as references, 2"):
        score(["a"], ["a", "b"])


def test_gain_equals_the_difference_of_scores() -> None:
    shorter = [line[:-9] for line in HYPOTHESES]
    gain = bleu_gain(HYPOTHESES, shorter, REFERENCES, 200)
    ours, theirs = (sacrebleu.corpus_bleu(texts, [REFERENCES]).score for texts in (HYPOTHESES, shorter))
    assert gain.value == pytest.approx(ours - theirs)
    assert 0 < gain.low < gain.value < gain.high
    assert str(gain).startswith("BLEU gain ")


def test_gain_mutants_differ() -> None:
    """The other way round the sign turns; against itself every resample gives 0, which unpaired ones would not."""
    shorter = [line[:-9] for line in HYPOTHESES]
    assert bleu_gain(shorter, HYPOTHESES, REFERENCES, 50).high < 0
    same = bleu_gain(HYPOTHESES, HYPOTHESES, REFERENCES, 50)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    alone, _ = score(HYPOTHESES, REFERENCES, 200)
    assert alone.high - alone.low > 1


def test_gain_is_reproducible() -> None:
    shorter = [line[:-9] for line in HYPOTHESES]
    assert bleu_gain(HYPOTHESES, shorter, REFERENCES, 20) == bleu_gain(HYPOTHESES, shorter, REFERENCES, 20)


def test_gain_refuses_lists_of_unequal_length() -> None:
    with pytest.raises(InputError, match="others: got 19, need as many as references, 20"):
        bleu_gain(HYPOTHESES, HYPOTHESES[1:], REFERENCES)
    with pytest.raises(InputError, match="references: got 0, need at least one sentence"):
        bleu_gain([], [], [])
