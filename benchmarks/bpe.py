"""Training byte-pair encoding: clear, fast, and the ``tokenizers`` library, in one run on the same text.

python -m benchmarks.bpe
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from ttlib import runtime
from ttlib.data.bible import verse_pairs
from ttlib.text import bpe, bpe_fast
from ttlib.text.bpe import Pair, Word
from ttlib.text.splitting import Spaces
from ttlib.text.tokeniser import BPE, Learn

N_BYTES, MERGES = 5_000_000, 8_000
SLICE = 10  # recounting is timed on this many merges at the beginning, and as many at the end


def text_of(n_bytes: int) -> Iterator[str]:
    """Russian and English verses in turn, of this many bytes together."""
    for pair in verse_pairs(tgt="world"):
        for verse in (pair.src, pair.tgt):
            n_bytes -= len(verse.encode())
            if n_bytes < 0:
                return
            yield verse


def timed(learn: Learn, texts: list[str], vocab_size: int) -> tuple[float, BPE]:
    """Seconds and the tokeniser."""
    start = time.perf_counter()
    ours = BPE.train(texts, vocab_size, Spaces(), learn=learn)
    return time.perf_counter() - start, ours


def library(texts: list[str], vocab_size: int) -> tuple[float, Tokenizer]:
    """Seconds and the tokeniser."""
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.Metaspace()
    start = time.perf_counter()
    theirs.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False))
    return time.perf_counter() - start, theirs


def seconds(learn: Learn, *args: object) -> tuple[float, list[Pair]]:
    """Seconds and the merges."""
    start = time.perf_counter()
    merges = learn(*args)
    return time.perf_counter() - start, merges


def recounting(words: Mapping[Word, int], ours: BPE) -> float:
    """Seconds that one merge takes, counting everything again: the mean of the first and of the last ones."""
    tokens, rest = list(ours.vocab), len(ours.merges) - SLICE
    letters = len(ours) - len(ours.merges)
    first, merges = seconds(bpe.learn, words, tokens[:letters], letters + SLICE)
    assert merges == ours.merges[:SLICE]
    ranks = {pair: rank for rank, pair in enumerate(ours.merges[:rest])}
    late = {tuple(bpe_fast.encode(word, ranks)): count for word, count in words.items()}
    last, merges = seconds(bpe.learn, late, tokens[: letters + rest], len(ours))
    assert merges == ours.merges[rest:]
    return (first + last) / 2 / SLICE


def main() -> None:
    """Print seconds."""
    texts = list(text_of(N_BYTES))
    words = Counter(tuple(word) for text in texts for word in Spaces().words(text))
    letters = sorted({letter for word in words for letter in word})
    size = len(letters) + MERGES
    print(runtime.hardware(), f"{sum(len(t.encode()) for t in texts):,} bytes, {len(words):,} words, {MERGES:,} merges")
    fast, ours = timed(bpe_fast.learn, texts, size)
    rust, theirs = library(texts, size)
    assert ours.vocab == theirs.get_vocab()
    print(f"whole training: ttlib {fast:.1f} s, tokenizers {rust:.1f} s, equal vocabularies")
    again, each = recounting(words, ours), seconds(bpe_fast.learn, words, letters, size)[0] / MERGES
    print(f"one merge: recounting {1e3 * again:.1f} ms, ttlib {1e3 * each:.3f} ms: {again / each:,.0f} ×")
    print(f"all merges by recounting would take {again * MERGES / 60:,.0f} minutes")


if __name__ == "__main__":
    main()
