"""What lies near what: nearest words by cosine, and analogies by adding and subtracting (3CosAdd)."""

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional as F

from ttlib.errors import require
from ttlib.shapes import Float, Int, Tensor

Question = tuple[str, str, str, str]


class WordVectors:
    """Words and their vectors, made of length 1, so that a dot product is a cosine.

    Raises:
        InputError: there are not as many words as rows, or a word comes twice.
    """

    def __init__(self, words: Sequence[str], table: Float[Tensor, "V D"]) -> None:
        require(len(words) == len(table), "words", len(words), f"one per row ({len(table)})")
        self.words, self.ids = list(words), {word: i for i, word in enumerate(words)}
        require(len(self.ids) == len(words), "words", f"{len(self.ids)} different ones", "no word twice")
        self.unit = F.normalize(table.detach().float(), dim=-1)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def __getitem__(self, word: str) -> Float[Tensor, " D"]:
        """The word's unit vector.

        Raises:
            InputError: the word is not in the vocabulary.
        """
        return self.unit[self._id(word)]

    def _id(self, word: str) -> int:
        require(word in self.ids, "word", word, f"one of the {len(self.words)} words with a vector")
        return self.ids[word]

    def similarity(self, a: str, b: str) -> float:
        """The cosine of two words' vectors."""
        return float(self[a] @ self[b])

    def nearest(self, word: str, n: int = 5) -> list[tuple[str, float]]:
        """The ``n`` words with the greatest cosine to ``word``, itself excluded."""
        return self._closest(self[word], [self._id(word)], n)

    def analogy(self, a: str, b: str, c: str, n: int = 1) -> list[tuple[str, float]]:
        """*a is to b as c is to …*: the words nearest to b − a + c (Mikolov et al. 2013c), the three excluded.

        The unit vectors are added, which Levy and Goldberg 2014 call 3CosAdd.
        """
        target = F.normalize(self[b] - self[a] + self[c], dim=-1)
        return self._closest(target, [self._id(word) for word in (a, b, c)], n)

    def _closest(self, target: Float[Tensor, " D"], excluded: list[int], n: int) -> list[tuple[str, float]]:
        require(1 <= n <= len(self.words) - len(set(excluded)), "n", n, "at least 1, and no more than there are words")
        cosines = self.unit @ target
        cosines[excluded] = -torch.inf
        best = cosines.topk(n)
        return [(self.words[i], value) for value, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]

    def answer(self, questions: Sequence[Question], candidates: int | None = None) -> list[bool | None]:
        """For each question whether the analogy's first answer is the wanted word; None if a word has no vector.

        ``candidates`` limits the possible answers to the first so many words (the most frequent, if so ordered).
        """
        known = [i for i, question in enumerate(questions) if all(word in self.ids for word in question)]
        right: list[bool | None] = [None] * len(questions)
        if not known:
            return right
        rows = torch.tensor([[self.ids[word] for word in questions[i]] for i in known])
        for part, numbers in zip(rows.split(256), torch.tensor(known).split(256), strict=True):
            for i, ok in zip(numbers.tolist(), self._first_is_right(part, candidates), strict=True):
                right[i] = ok
        return right

    def _first_is_right(self, rows: Int[Tensor, "N 4"], candidates: int | None) -> list[bool]:
        a, b, c = self.unit[rows[:, :3].T]
        cosines = (b - a + c) @ self.unit[:candidates].T  # (N, V): the target's length does not change the order
        cosines = F.pad(cosines, (0, len(self.unit) - cosines.shape[1]), value=-torch.inf)
        cosines.scatter_(1, rows[:, :3], -torch.inf)
        return (cosines.argmax(-1) == rows[:, 3]).tolist()


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's ρ: the correlation of the ranks; equal values share the mean of their ranks.

    Raises:
        InputError: fewer than two values, not as many of each, or all values of one equal.
    """
    require(len(a) == len(b) > 1, "a", len(a), f"as many values as b ({len(b)}), at least two")
    require(len(set(a)) > 1 < len(set(b)), "values", (min(a), max(a)), "values that differ")
    ranks = torch.stack([_ranks(torch.tensor(list(values), dtype=torch.float64)) for values in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1])


def _ranks(values: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    below = (values[:, None] > values).sum(1)
    equal = (values[:, None] == values).sum(1)
    return below + (equal.double() - 1) / 2


def agreement(vectors: WordVectors, pairs: Mapping[tuple[str, str], float]) -> tuple[float, int]:
    """Spearman's ρ of cosines with people's judgements of likeness, and of how many pairs both words are known."""
    known = {pair: score for pair, score in pairs.items() if all(word in vectors for word in pair)}
    cosines = [vectors.similarity(*pair) for pair in known]
    return rank_correlation(cosines, list(known.values())), len(known)
