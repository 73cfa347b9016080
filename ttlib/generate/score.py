"""BLEU and chrF, as sacrebleu computes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from ttlib.errors import require


class _FloatScores:
    """Plain floats from every resample: sacrebleu 2.6 cannot average its own float32 with an exact 0.0."""

    def _compute_score_from_stats(self, stats: Any) -> Any:
        result = super()._compute_score_from_stats(stats)  # type: ignore[misc]
        result.score = float(result.score)
        return result


class _Bleu(_FloatScores, BLEU):
    pass


class _Chrf(_FloatScores, CHRF):
    pass


@dataclass(frozen=True)
class Score:
    """A corpus score with its 95 % bootstrap interval and sacrebleu's signature."""

    name: str
    value: float
    low: float
    high: float
    signature: str

    def __str__(self) -> str:
        return f"{self.name} {self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


def score(hypotheses: Sequence[str], references: Sequence[str], n_bootstrap: int = 1000) -> tuple[Score, Score]:
    """(BLEU, chrF) of translations against one reference each (Post 2018; Koehn 2004 for the intervals).

    Raises:
        InputError: the two lists are not equally long, or they are empty.
    """
    require(len(references) > 0, "references", 0, "at least one sentence")
    same = len(hypotheses) == len(references)
    require(same, "hypotheses", len(hypotheses), f"as many as references, {len(references)}")
    scores = []
    for metric in (_Bleu(), _Chrf()):
        result = metric.corpus_score(list(hypotheses), [list(references)], n_bootstrap=n_bootstrap)
        mean, half = result._mean, result._ci
        signature = str(metric.get_signature())
        scores.append(Score(result.name, result.score, float(mean - half), float(mean + half), signature))
    return scores[0], scores[1]


def bleu_gain(
    hypotheses: Sequence[str], others: Sequence[str], references: Sequence[str], n_bootstrap: int = 1000, seed: int = 0
) -> Score:
    """By how much the BLEU of ``hypotheses`` exceeds that of ``others``, with a *paired* 95 % interval.

    Every resample draws the same sentences for both, so that what makes a sentence hard for both drops out
    (Koehn 2004, §4). Where the interval does not hold 0, the difference is more than the choice of sentences.

    Raises:
        InputError: the three lists are not equally long, or they are empty.
    """
    require(len(references) > 0, "references", 0, "at least one sentence")
    for name, texts in (("hypotheses", hypotheses), ("others", others)):
        require(len(texts) == len(references), name, len(texts), f"as many as references, {len(references)}")
    metric = _Bleu()
    counts = [
        np.array(metric._extract_corpus_statistics(list(texts), [list(references)])) for texts in (hypotheses, others)
    ]  # (N, 10) each: n-grams that match, n-grams in all, lengths

    def gain(rows: Any) -> float:
        ours, theirs = (metric._compute_score_from_stats(count[rows].sum(0).tolist()).score for count in counts)
        return float(ours - theirs)

    n, random = len(references), np.random.default_rng(seed)
    drawn = [gain(random.integers(n, size=n)) for _ in range(n_bootstrap)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Score("BLEU gain", gain(slice(None)), float(low), float(high), str(metric.get_signature()))
