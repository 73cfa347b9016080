"""Subword tokenisers, trained with the ``tokenizers`` library, behind one small interface."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ttlib.errors import InputError, require

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
SPECIALS = (PAD, BOS, EOS, UNK)  # ids 0 to 3


class Subwords:
    """Text to ids and back. Ids 0 to 3 are pad, bos, eos and unk; further ``tags`` follow them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        found = tuple(tokenizer.id_to_token(i) for i in range(len(SPECIALS)))
        require(found == SPECIALS, "tokenizer", found, f"the tokens {SPECIALS} at ids 0 to 3")

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int, tags: Sequence[str] = ()) -> "Subwords":
        """Byte-pair encoding over words and punctuation marks (Sennrich et al. 2015), NFC-normalised.

        Raises:
            InputError: there is no text, or the vocabulary cannot even hold the letters.
        """
        tokenizer = Tokenizer(models.BPE(unk_token=UNK))
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")]
        )
        tokenizer.decoder = decoders.Metaspace()
        special = [*SPECIALS, *tags]
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=special, show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        size = tokenizer.get_vocab_size()
        require(size > len(special), "texts", "nothing", "some text to learn subwords from")
        require(size <= vocab_size, "vocab_size", vocab_size, f"at least {size}: the letters alone take that")
        return cls(tokenizer)

    @classmethod
    def load(cls, path: str | Path) -> "Subwords":
        """Read Hugging Face's ``tokenizer.json``.

        Raises:
            InputError: the file is missing or is not a tokeniser.
        """
        try:
            return cls(Tokenizer.from_file(str(path)))
        except InputError:
            raise
        except Exception as error:  # the library raises plain Exception
            raise InputError(f"tokenizer: cannot read {str(path)!r}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write Hugging Face's ``tokenizer.json``."""
        self.tokenizer.save(str(path))

    def __len__(self) -> int:
        return self.tokenizer.get_vocab_size()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, without bos and eos."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def pieces(self, text: str) -> list[str]:
        """The subwords of one text, as strings; ``▁`` marks the beginning of a word."""
        return self.tokenizer.encode(text, add_special_tokens=False).tokens

    def id_of(self, piece: str) -> int:
        """The id of one subword, special token or tag.

        Raises:
            InputError: the vocabulary does not have it.
        """
        found = self.tokenizer.token_to_id(piece)
        if found is None:
            raise InputError(f"piece: got {piece!r}, need a token of this vocabulary")
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """Text of the ids; special tokens are left out, and punctuation closes up."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True).strip()
