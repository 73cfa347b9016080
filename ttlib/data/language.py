"""The language model's data: works, a tokeniser learnt from those to train on, one long row of ids."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from ttlib.data.shakespeare import Works
from ttlib.errors import require
from ttlib.shapes import Int, Tensor
from ttlib.text.splitting import Bytes, Letters, Splitter
from ttlib.text.tokeniser import BPE

START = "<start>"  # the token that stands before every text; after it, a model knows that one begins
SPLITTERS: dict[str, Callable[[], Splitter]] = {"bpe": Bytes, "characters": Letters}


@dataclass(frozen=True, kw_only=True)
class TextData:
    """What the tokens of Shakespeare's works are: ``bpe`` (of bytes, as GPT-2's) or ``characters``."""

    tokens: str = "bpe"

    def __post_init__(self) -> None:
        """Check the name."""
        require(self.tokens in SPLITTERS, "tokens", self.tokens, f"one of {', '.join(SPLITTERS)}")


def train_tokeniser(data: TextData, works: Works, vocab_size: int) -> BPE:
    """Learn the tokens from the works to train on alone.

    Raises:
        InputError: the vocabulary cannot hold the single characters or bytes, or is larger than there is to learn.
    """
    tokeniser = BPE.train(works.train.values(), vocab_size, SPLITTERS[data.tokens](), [START])
    need = f"{len(tokeniser)}, all that these {data.tokens} come to"
    require(len(tokeniser) == vocab_size, "vocab_size", vocab_size, need)
    return tokeniser


def with_start(tokeniser: BPE, text: str) -> list[int]:
    """Ids of a text after the start token, so that its very first token can be predicted, too.

    Raises:
        InputError: the tokeniser has no start token, or the text has a character that it does not know.
    """
    require(START in tokeniser.vocab, "tokeniser", tokeniser.specials, f"a tokeniser with the token {START}")
    return [tokeniser.vocab[START], *tokeniser.encode(text)]


def text_ids(tokeniser: BPE, texts: Iterable[str]) -> Int[Tensor, " N"]:
    """All texts in one row, each after a start token.

    Raises:
        InputError: the tokeniser has no start token, or a text has a character that it does not know.
    """
    return torch.tensor([i for text in texts for i in with_start(tokeniser, text)], dtype=torch.long)
