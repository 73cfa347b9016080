"""A vocabulary of words with their counts, and the two distributions that word2vec makes of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

import torch

from ttlib.errors import require
from ttlib.shapes import Float, Int, Tensor


class Vocabulary:
    """Words that a corpus has at least ``min_count`` times, the most frequent first; ties in alphabetical order.

    Raises:
        InputError: ``min_count`` is less than 1, or no word is frequent enough.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], min_count: int = 1) -> None:
        require(min_count >= 1, "min_count", min_count, "at least 1")
        found = Counter(word for sentence in sentences for word in sentence)
        kept = sorted((-count, word) for word, count in found.items() if count >= min_count)
        require(len(kept) > 0, "sentences", f"{len(found)} different words", f"one that comes {min_count} times")
        self.words = [word for _, word in kept]
        self.counts: Int[Tensor, " V"] = torch.tensor([-count for count, _ in kept])
        self.ids = {word: i for i, word in enumerate(self.words)}
        self.dropped = sum(found.values()) - int(self.counts.sum())  # running words without an id

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def encode(self, sentences: Iterable[Sequence[str]]) -> tuple[Int[Tensor, " N"], Int[Tensor, " N"]]:
        """The running text as ids, and for each the number of its sentence. Words without an id are left out.

        Leaving out closes the gap: the neighbours of a dropped word become each other's neighbours.
        """
        ids: list[int] = []
        places: list[int] = []
        for number, sentence in enumerate(sentences):
            known = [self.ids[word] for word in sentence if word in self.ids]
            ids += known
            places += [number] * len(known)
        return torch.tensor(ids, dtype=torch.long), torch.tensor(places, dtype=torch.long)


def keep_probability(counts: Int[Tensor, " V"], threshold: float) -> Float[Tensor, " V"]:
    """The chance of each word to stay when frequent words are thinned out: min(1, √(t/f) + t/f).

    ``f`` is the word's share of the text, ``t`` the threshold; 0 keeps everything. Mikolov et al. 2013b, section
    2.3, has √(t/f); the second term is that of their program, and of gensim.

    Raises:
        InputError: the threshold is negative, or a count is not positive.
    """
    require(threshold >= 0, "threshold", threshold, "0 (keep all) or a small positive share such as 1e-3")
    require(bool((counts > 0).all()), "counts", int(counts.min()), "positive counts")
    if threshold == 0:
        return torch.ones(len(counts))
    ratio = threshold * counts.sum() / counts
    return (ratio.sqrt() + ratio).clamp(max=1)


def noise_distribution(counts: Int[Tensor, " V"], power: float = 0.75) -> Float[Tensor, " V"]:
    """The chance of each word to be drawn as noise: countᵖ, divided by the sum (Mikolov et al. 2013b, section 2.2).

    Raises:
        InputError: the power is negative, or a count is not positive.
    """
    require(power >= 0, "power", power, "0 (all alike) to 1 (as in the text)")
    require(bool((counts > 0).all()), "counts", int(counts.min()), "positive counts")
    raised = counts.double() ** power
    return (raised / raised.sum()).float()
