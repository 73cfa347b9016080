"""BLEU and chrF, as sacrebleu computes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ttlib.errors import require


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
    from sacrebleu.metrics import BLEU, CHRF

    require(len(references) > 0, "references", 0, "at least one sentence")
    same = len(hypotheses) == len(references)
    require(same, "hypotheses", len(hypotheses), f"as many as references, {len(references)}")
    scores = []
    for metric in (BLEU(), CHRF()):
        result = metric.corpus_score(list(hypotheses), [list(references)], n_bootstrap=n_bootstrap)
        mean, half = result._mean, result._ci
        signature = str(metric.get_signature())
        scores.append(Score(result.name, result.score, float(mean - half), float(mean + half), signature))
    return scores[0], scores[1]
