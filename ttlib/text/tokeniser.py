"""A whole BPE tokeniser of our own: text to ids and back, trained here or read from ``tokenizer.json``."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ttlib.errors import InputError, require
from ttlib.text import bpe_fast
from ttlib.text.bpe import Pair
from ttlib.text.splitting import Splitter
from ttlib.text.tokeniser_json import from_json, to_json

Learn = Callable[..., list[Pair]]
CACHE_SIZE = 100_000  # words whose ids are remembered


class BPE:
    """Byte-pair encoding: a splitter, a vocabulary, and merges in the order in which they were learnt.

    ``specials`` are names such as ``<bos>``: they have ids, but no text is ever encoded to them (the library,
    on the other hand, looks for them in the text). ``unk`` is one of them: it stands for characters without an id.

    Raises:
        InputError: a merge makes or needs a symbol that the vocabulary does not have, or a special is missing.
    """

    def __init__(
        self,
        splitter: Splitter,
        vocab: Mapping[str, int],
        merges: Sequence[Pair],
        specials: Sequence[str] = (),
        unk: str | None = None,
    ) -> None:
        for a, b in merges:
            require({a, b, a + b} <= vocab.keys(), "merges", (a, b), "symbols of the vocabulary, also when merged")
        wanted = [*specials, *([unk] if unk else [])]
        require(vocab.keys() >= set(wanted), "specials", wanted, "tokens of the vocabulary")
        self.splitter, self.vocab, self.merges = splitter, dict(vocab), list(merges)
        self.specials, self.unk = tuple(specials), unk
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.names = {i: token for token, i in self.vocab.items()}
        self._hidden = {self.vocab[token] for token in self.specials}
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        splitter: Splitter,
        specials: Sequence[str] = (),
        unk: str | None = None,
        *,
        learn: Learn = bpe_fast.learn,
    ) -> "BPE":
        """Learn merges until there are ``vocab_size`` tokens, or nothing is left to merge.

        Ids: the specials, then all single symbols in the order of their characters, then merges as they come.

        Raises:
            InputError: there is no text, ``vocab_size`` cannot hold the single symbols, or a text is refused.
        """
        words = Counter(word for text in texts for word in splitter.words(text))
        require(len(words) > 0, "texts", "nothing", "some text to learn from")
        symbols = {word: tuple(splitter.symbols(word)) for word in words}
        seen = {*splitter.alphabet, *(symbol for word in symbols.values() for symbol in word)}
        start = [*specials, *sorted(seen - set(specials), key=lambda symbol: (len(symbol), symbol))]
        counts = {symbols[word]: count for word, count in words.items()}
        merges = learn(counts, start, vocab_size)
        vocab = {token: i for i, token in enumerate(dict.fromkeys([*start, *(a + b for a, b in merges)]))}
        return cls(splitter, vocab, merges, specials, unk)

    def cut(self, vocab_size: int) -> "BPE":
        """The tokeniser as it was in training when it had ``vocab_size`` tokens: later merges are forgotten.

        Raises:
            InputError: the size is above ours, or does not even hold the single symbols.
        """
        merged = {a + b for a, b in self.merges}
        least = sum(token not in merged for token in self.vocab)
        require(least <= vocab_size <= len(self), "vocab_size", vocab_size, f"{least} to {len(self)}")
        vocab = {token: i for token, i in self.vocab.items() if i < vocab_size}
        merges = [(a, b) for a, b in self.merges if a + b in vocab]
        return BPE(self.splitter, vocab, merges, self.specials, self.unk)

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without specials other than ``unk``.

        Raises:
            InputError: the text has a lone surrogate, or a character without an id and there is no ``unk``.
        """
        ids: list[int] = []
        for word in self.splitter.words(text):
            found = self._cache.get(word)
            if found is None:
                found = tuple(self._id(token) for token in self._pieces(word))
                if len(self._cache) < CACHE_SIZE:
                    self._cache[word] = found
            ids += found
        return ids

    def pieces(self, text: str) -> list[str]:
        """The tokens of a text as they stand in the vocabulary."""
        return [self.names[i] for i in self.encode(text)]

    def _pieces(self, word: str) -> list[str]:
        return bpe_fast.encode(self.splitter.symbols(word), self.ranks)

    def _id(self, token: str) -> int:
        if token in self.vocab and token not in self.specials:
            return self.vocab[token]
        if self.unk is None:
            raise InputError(f"text: got {token!r}, need characters seen in training (this tokeniser has no unk)")
        return self.vocab[self.unk]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; specials are left out.

        Raises:
            InputError: an id is not in the vocabulary.
        """
        shown = [i for i in ids if i not in self._hidden]
        for i in shown:
            require(i in self.names, "ids", i, f"ids of this vocabulary of {len(self)} tokens")
        return self.splitter.join([self.names[i] for i in shown])

    def save(self, path: str | Path) -> None:
        """Write Hugging Face's ``tokenizer.json``."""
        content = to_json(self.splitter, self.vocab, self.merges, self.specials, self.unk)
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "BPE":
        """Read Hugging Face's ``tokenizer.json``, ours or the library's.

        Raises:
            InputError: the file is missing or damaged, or asks for something that this class does not do.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"path: cannot read {str(path)!r}: {error}") from error
        return cls(*from_json(content))
