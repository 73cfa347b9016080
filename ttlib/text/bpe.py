"""Byte-pair encoding, the clear way: count all pairs, merge the most frequent one, repeat (Sennrich et al. 2015).

``bpe_fast`` does the same without counting everything again. What a symbol is (a character or a byte) and where
words end is the business of ``splitting``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ttlib.errors import require

Pair = tuple[str, str]
Word = tuple[str, ...]  # the symbols of a word


def count_pairs(words: Mapping[Word, int]) -> Counter[Pair]:
    """How often two symbols stand next to each other, over all words times their counts.

    >>> count_pairs({("l", "o", "w"): 5, ("l", "o"): 2})
    Counter({('l', 'o'): 7, ('o', 'w'): 5})
    """
    pairs: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            pairs[pair] += count
    return pairs


def merge(word: Word, pair: Pair) -> Word:
    """Replace each occurrence of the pair by one symbol, from left to right.

    >>> merge(("a", "a", "a", "b"), ("a", "a"))
    ('aa', 'a', 'b')
    """
    merged, i = [], 0
    while i < len(word):
        step = 2 if word[i : i + 2] == pair else 1
        merged.append("".join(word[i : i + step]))
        i += step
    return tuple(merged)


def learn(words: Mapping[Word, int], vocab: Sequence[str], vocab_size: int, min_count: int = 1) -> list[Pair]:
    """The merges that make ``vocab`` (every symbol of the words, in order of its id) grow to ``vocab_size``.

    Each adds the most frequent pair of *current* symbols. Of equally frequent pairs the one with the smaller ids
    wins: first the left symbol's, then the right one's. This is the rule of the ``tokenizers`` library, found in
    its heap's ordering; the paper has none. It stops early when no pair is left that occurs ``min_count`` times.

    Raises:
        InputError: a symbol of the words is not in the vocabulary, or the vocabulary is larger than its size.
    """
    ids = check_vocab(words, vocab, vocab_size, min_count)
    words, merges = dict(words), []
    while len(ids) < vocab_size:
        pairs = count_pairs(words)
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], ids[pair[0]], ids[pair[1]]))
        if pairs[best] < min_count:
            break
        merges.append(best)
        ids.setdefault("".join(best), len(ids))  # two merges may make one symbol
        together: Counter[Word] = Counter()
        for word, count in words.items():
            together[merge(word, best)] += count
        words = together
    return merges


def encode(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """Merge a word's symbols in the order in which merges were learnt: the lowest rank, the leftmost first."""
    word = list(symbols)
    while len(word) > 1:
        pairs = list(pairwise(word))
        i = min(range(len(pairs)), key=lambda i: ranks.get(pairs[i], len(ranks)))
        if pairs[i] not in ranks:
            break
        word[i : i + 2] = ["".join(pairs[i])]
    return word


def check_vocab(words: Mapping[Word, int], vocab: Sequence[str], vocab_size: int, min_count: int) -> dict[str, int]:
    """Ids of the vocabulary.

    Raises:
        InputError: see `learn`.
    """
    ids = {symbol: i for i, symbol in enumerate(vocab)}
    require(len(ids) == len(vocab), "vocab", len(vocab), f"no symbol twice (it has {len(ids)} different ones)")
    missing = {symbol for word in words for symbol in word} - ids.keys()
    require(not missing, "vocab", len(vocab), f"every symbol of the words, also {min(missing, default='')!r}")
    require(vocab_size >= len(vocab), "vocab_size", vocab_size, f"at least {len(vocab)}: the symbols alone take that")
    require(min_count >= 1, "min_count", min_count, "1 or more")
    return ids
