"""Our word2vec beside gensim's: words per second and quality, on one corpus with equal settings.

python -m benchmarks.word2vec    (needs gensim with smart-open, in a separate environment if need be)
"""

import os
import time
from collections.abc import Callable

import torch

from ttlib import runtime
from ttlib.data.bible import verse_pairs
from ttlib.data.wordtests import analogy_questions, judged_pairs
from ttlib.text.lexicon import words
from ttlib.text.neighbours import WordVectors, agreement
from ttlib.text.vocab import Vocabulary
from ttlib.text.word2vec import CBOW, SKIP_GRAM, Word2Vec, Word2VecConfig

EDITIONS = ("basic", "world", "king_james")
EPOCHS = int(os.environ.get("EPOCHS", "5"))
WORKERS = os.cpu_count() or 1  # gensim's; ours takes one core: its matrices are too small to share
LEARNING_RATE = {"CBOW": 0.1, "skip-gram": 0.025}  # ours; gensim's CBOW takes its larger gradient at 0.025
Trained = tuple[float, WordVectors]


def ours(name: str, sentences: list[list[str]]) -> Trained:
    """Seconds of training, and the vectors."""
    vocab = Vocabulary(sentences, min_count=5)
    text = vocab.encode(sentences)
    config = Word2VecConfig(epochs=EPOCHS, lr=LEARNING_RATE[name])
    model = Word2Vec(CBOW if name == "CBOW" else SKIP_GRAM, vocab.counts, config)
    start = time.perf_counter()
    model.fit(*text)
    return time.perf_counter() - start, WordVectors(vocab.words, model.table)


def gensims(name: str, sentences: list[list[str]]) -> Trained:
    """The same of gensim, which gets every core."""
    from gensim.models import Word2Vec as Peer

    peer = Peer(
        vector_size=100, window=5, negative=5, min_count=5, sample=1e-3, sg=int(name == "skip-gram"), workers=WORKERS
    )
    peer.build_vocab(sentences)
    start = time.perf_counter()
    peer.train(sentences, total_examples=len(sentences), epochs=EPOCHS)
    seconds = time.perf_counter() - start
    return seconds, WordVectors(peer.wv.index_to_key, torch.from_numpy(peer.wv.vectors.copy()))


def report(name: str, train: Callable[[str, list[list[str]]], Trained], sentences: list[list[str]]) -> None:
    """Print one row of the table."""
    seconds, vectors = train(name, sentences)
    n_words = sum(word in vectors for sentence in sentences for word in sentence)
    questions = [question for kind in analogy_questions().values() for question in kind]
    answers = [answer for answer in vectors.answer(questions) if answer is not None]
    related, _ = agreement(vectors, judged_pairs("wordsim"))
    print(
        f"| {name} | {train.__name__} | {EPOCHS * n_words / seconds:,.0f} | {sum(answers) / len(answers):.1%} "
        f"of {len(answers)} | {related:.2f} |",
        flush=True,
    )


def main() -> None:
    """Train both models with both libraries, one after the other, and print a table."""
    print(runtime.hardware(), "torch", torch.__version__, "gensim's workers", WORKERS)
    torch.set_num_threads(1)
    sentences = [words(pair.tgt) for name in EDITIONS for pair in verse_pairs(src=name, tgt=name, max_words=200)]
    for name in ("CBOW", "skip-gram"):
        for train in (ours, gensims):
            report(name, train, sentences)


if __name__ == "__main__":
    main()
