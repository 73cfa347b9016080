"""WordPiece as BERT uses it, trained with the ``tokenizers`` library."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from ttlib.errors import InputError, require

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIALS = (PAD, UNK, CLS, SEP, MASK)  # ids 0 to 4
PAD_ID, UNK_ID, CLS_ID, SEP_ID, MASK_ID = range(len(SPECIALS))


class WordPiece:
    """Text to ids and back (Schuster & Nakajima 2012; as in Devlin et al. 2018). ``##`` marks a piece inside a word.

    Lower case, without accents, split at spaces and punctuation; then always the longest piece that fits.
    Ids 0 to 4 are [PAD], [UNK], [CLS], [SEP] and [MASK].
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        found = tuple(pieces[: len(SPECIALS)])
        require(found == SPECIALS, "pieces", found, f"{SPECIALS} first")
        require(len(set(pieces)) == len(pieces), "pieces", len(pieces), f"distinct ones; {len(set(pieces))} are")
        self.names = list(pieces)
        self.tokenizer = self._build(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token=UNK))
        self.tokenizer.add_special_tokens(list(SPECIALS))

    @staticmethod
    def _build(model: models.WordPiece) -> Tokenizer:
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{CLS} $A {SEP}",
            pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
            special_tokens=[(CLS, CLS_ID), (SEP, SEP_ID)],
        )
        return tokenizer

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "WordPiece":
        """Learn pieces from some texts: the same ones in every run.

        The library numbers letters inside words in the order of a hash, which changes from run to run, and breaks ties
        between equally frequent pairs by number. So the letters are collected first, and then given in order.

        Raises:
            InputError: there is no text, or the vocabulary cannot even hold the letters.
        """
        texts = list(texts)
        letters = learn(texts, len(SPECIALS), SPECIALS)
        need = f"at least {len(letters)}: the letters alone take that"
        require(len(letters) > len(SPECIALS), "texts", "nothing", "some text to learn pieces from")
        require(len(letters) <= vocab_size, "vocab_size", vocab_size, need)
        first = [*SPECIALS, *sorted(letters.keys() - {*SPECIALS})]
        vocabulary = learn(texts, vocab_size, first)
        return cls(sorted(vocabulary, key=lambda piece: vocabulary[piece]))

    @classmethod
    def load(cls, path: str | Path) -> "WordPiece":
        """Read a ``vocab.txt``: one piece a line, in the order of their ids.

        Raises:
            InputError: the file is missing, or is no such list.
        """
        try:
            return cls(Path(path).read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"path: cannot read {str(path)!r}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write a ``vocab.txt``, which ``transformers.BertTokenizer`` reads too."""
        Path(path).write_text("\n".join(self.names) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text alone, without [CLS] and [SEP]. The name of a special token in a text becomes that token."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode_pair(self, a: str, b: str | None = None) -> tuple[list[int], list[int]]:
        """Ids and segments of ``[CLS] a [SEP]``, or of ``[CLS] a [SEP] b [SEP]``."""
        encoding = self.tokenizer.encode(a, b)
        return encoding.ids, encoding.type_ids

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces of some ids, as strings."""
        return [self.names[i] for i in ids]

    def id_of(self, piece: str) -> int:
        """The id of one piece.

        Raises:
            InputError: the vocabulary does not have it.
        """
        found = self.tokenizer.token_to_id(piece)
        if found is None:
            raise InputError(f"piece: got {piece!r}, need a token of this vocabulary")
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """Lower-case text of the ids; special tokens are left out."""
        return self.tokenizer.decode([i for i in ids if i >= len(SPECIALS)], skip_special_tokens=False)


def learn(texts: Sequence[str], vocab_size: int, first: Sequence[str]) -> dict[str, int]:
    """Pieces and their ids: those of ``first``, then every letter, then joined pieces up to ``vocab_size``."""
    learner = WordPiece._build(models.WordPiece(unk_token=UNK))
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=list(first), show_progress=False)
    learner.train_from_iterator(texts, trainer)
    return learner.get_vocab()
