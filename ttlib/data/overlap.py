"""Baselines without a network, for two texts and for a question: common words, weighted by how rare they are."""

import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ttlib.errors import require

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def words(text: str) -> list[str]:
    """Words in lower case, and numbers, without punctuation: ``God's`` is one word, ``new-born`` are two."""
    return WORD.findall(text.lower())


class Overlap:
    """How much two texts have in common: the share of common words (Jaccard), each weighted by its rarity.

    A word that stands in n of N texts weighs log((1 + N) / (1 + n)) (Spärck Jones 1972, smoothed), so that
    *the* counts for little and *Capernaum* for much.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """Count in how many of the texts each word stands: give training texts only.

        Raises:
            InputError: there are no texts.
        """
        self.n_texts, self.n_with = 0, Counter[str]()
        for text in texts:
            self.n_texts += 1
            self.n_with.update(set(words(text)))
        require(self.n_texts > 0, "texts", 0, "at least one")

    def rarity(self, word: str) -> float:
        """0 for a word that stands in every text; most for one that stands in none."""
        return math.log((1 + self.n_texts) / (1 + self.n_with[word]))

    def __call__(self, a: str, b: str) -> float:
        """From 0 (no common word, or none that weighs anything) to 1 (the same words)."""
        x, y = set(words(a)), set(words(b))
        all_words = math.fsum(map(self.rarity, x | y))
        return math.fsum(map(self.rarity, x & y)) / all_words if all_words else 0.0


def learn_threshold(scores: Sequence[float], labels: Sequence[int]) -> tuple[float, float]:
    """The t for which "1 where score >= t" is right most often, and the share that it gets right.

    The lowest of equally good ones; infinity where it is best to say 0 always.

    Raises:
        InputError: there are no scores, or not as many labels.
    """
    require(0 < len(scores) == len(labels), "labels", len(labels), f"one for each score ({len(scores)}, at least 1)")
    ones, change = sum(labels), Counter[float]()
    for score, label in zip(scores, labels, strict=True):
        change[score] += 1 - 2 * label  # what is won by saying 0 of this one
    best, right = (min(scores), ones), ones  # 1 for all
    ordered = sorted(change)
    for score, following in zip(ordered, [*ordered[1:], math.inf], strict=True):
        right += change[score]
        if right > best[1]:
            best = (following, right)
    return best[0], best[1] / len(scores)


def closest(question: str, passage: str, spans: Sequence[tuple[int, int]], overlap: Overlap) -> tuple[int, int]:
    """The span of the passage that has most in common with the question; the first of equal ones.

    Raises:
        InputError: there are no spans.
    """
    require(len(spans) > 0, "spans", 0, "at least one")
    return max(spans, key=lambda span: overlap(question, passage[slice(*span)]))


class SpanScore(NamedTuple):
    """Exact match (0 or 1) and the F1 of the words in common."""

    exact: float
    f1: float


def span_score(predicted: str, wanted: str) -> SpanScore:
    """How good an answer cut out of a passage is, as SQuAD counts it (Rajpurkar et al. 2016, §6.1).

    Capitals, punctuation and articles do not count. F1 is that of the two bags of words: two verses that share
    *and*, *of* and *he* get some points, though they stand in different places. Where one of the two is
    empty, both scores are 1 if the other is empty too, else 0 (as in SQuAD 2.0).
    """
    p, w = normal_words(predicted), normal_words(wanted)
    exact = float(p == w)
    if not p or not w:
        return SpanScore(exact, exact)
    return SpanScore(exact, 2 * (Counter(p) & Counter(w)).total() / (len(p) + len(w)))


def normal_words(text: str) -> list[str]:
    """SQuAD's form of an answer: lower case, no punctuation, no articles."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()
