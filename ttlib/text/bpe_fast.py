"""Byte-pair encoding, the fast way: the same merges as ``bpe``, but a merge only touches the words that hold it.

Three ideas. Pairs are counted once; after a merge, only the counts of pairs beside it change. An index says which
words hold a pair. A heap says which pair is the most frequent: counts that have fallen since are found out when
they come to the top (lazy deletion). And one trick of Python's: the symbol with id 300 is written as the character
with code 300, so a word is a string, a pair is a string of length two, strings compare as ids do, and merging is
``str.replace``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from ttlib.errors import require
from ttlib.text.bpe import Pair, Word, check_vocab

MOST_SYMBOLS = 0x110000  # as many as there are characters


def learn(words: Mapping[Word, int], vocab: Sequence[str], vocab_size: int, min_count: int = 1) -> list[Pair]:
    """The same merges as `ttlib.text.bpe.learn`, ties included, and the same arguments.

    Raises:
        InputError: see there; or ``vocab_size`` is above 1,114,112.
    """
    ids = check_vocab(words, vocab, vocab_size, min_count)
    require(vocab_size <= MOST_SYMBOLS, "vocab_size", vocab_size, f"at most {MOST_SYMBOLS}")
    names = list(vocab)
    texts = ["".join(chr(ids[symbol]) for symbol in word) for word in words]
    counts = list(words.values())
    pairs, holders = _index(texts, counts)
    heap = [(-count, pair) for pair, count in pairs.items()]  # smallest first: the most frequent pair
    heapify(heap)
    merges: list[Pair] = []
    while len(ids) < vocab_size and heap:
        negative, best = heappop(heap)
        if pairs[best] != -negative:  # it has changed since: an entry with the right count
            if pairs[best] > 0:
                heappush(heap, (-pairs[best], best))
            continue
        if pairs[best] < min_count:
            break
        merges.append((names[ord(best[0])], names[ord(best[1])]))
        name = "".join(merges[-1])
        if name not in ids:
            ids[name] = len(names)
            names.append(name)
        for pair in _merge(best, chr(ids[name]), texts, counts, pairs, holders):
            heappush(heap, (-pairs[pair], pair))
    return merges


def _index(texts: Sequence[str], counts: Sequence[int]) -> tuple[defaultdict[str, int], defaultdict[str, list[int]]]:
    """How often each pair occurs, and which words hold it."""
    pairs: defaultdict[str, int] = defaultdict(int)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for i, (text, count) in enumerate(zip(texts, counts, strict=True)):
        for left, right in pairwise(text):
            pairs[left + right] += count
            holders[left + right].append(i)
    return pairs, holders


def _merge(
    best: str,
    new: str,
    texts: list[str],
    counts: Sequence[int],
    pairs: defaultdict[str, int],
    holders: defaultdict[str, list[int]],
) -> set[str]:
    """Merge one pair wherever it stands; the pairs that have become more frequent.

    A word is cut at the pair; what changes are the pairs at the ends of its parts.
    """
    a, b = best[0], best[1]
    risen: set[str] = set()
    for i in holders.pop(best):
        parts = texts[i].split(best)
        count, last = counts[i], len(parts) - 1
        if last == 0:  # merged otherwise since, or listed twice
            continue
        texts[i] = new.join(parts)
        pairs[best] -= count * last
        for k, part in enumerate(parts):
            swaps = []
            if not part and 0 < k < last:  # two pairs side by side
                swaps.append((b + a, new + new))
            if part and k > 0:
                swaps.append((b + part[0], new + part[0]))
            if part and k < last:
                swaps.append((part[-1] + a, part[-1] + new))
            for gone, come in swaps:
                pairs[gone] -= count
                pairs[come] += count
                holders[come].append(i)
                risen.add(come)
    return risen


def encode(symbols: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """The same tokens as `ttlib.text.bpe.encode`, in n log n rather than n² steps for a word of n symbols."""
    word, after = list(symbols), list(range(1, len(symbols) + 1))  # after[i]: where the next symbol stands
    before = list(range(-1, len(symbols) - 1))
    heap = [(ranks[pair], i, pair) for i, pair in enumerate(pairwise(word)) if pair in ranks]
    heapify(heap)
    while heap:
        _, i, pair = heappop(heap)
        j = after[i]
        if j >= len(word) or (word[i], word[j]) != pair:  # merged into another pair since
            continue
        word[i], word[j] = word[i] + word[j], ""
        after[i] = after[j]
        if after[i] < len(word):
            before[after[i]] = i
        for left in (before[i], i):
            right = after[left] if left >= 0 else len(word)
            if right < len(word) and (rank := ranks.get((word[left], word[right]))) is not None:
                heappush(heap, (rank, left, (word[left], word[right])))
    return [symbol for symbol in word if symbol]
