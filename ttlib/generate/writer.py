"""A language model with its tokeniser: text in, more text out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ttlib.data.language import START, with_start
from ttlib.generate.loop import Choose
from ttlib.generate.sample import greedy_choice, stream
from ttlib.models.decoder_only import DecoderOnly
from ttlib.text.tokeniser import BPE

UNFINISHED = "\ufffd"  # what the beginning of a character decodes to


def as_text(tokeniser: BPE, ids: Iterable[int]) -> Iterator[str]:
    """The text of ids as they come. A character of several tokens is held back until it is whole."""
    waiting: list[int] = []
    for i in ids:
        waiting.append(i)
        piece = tokeniser.decode(waiting)
        if not piece.endswith(UNFINISHED):
            waiting = []
            yield piece
    if waiting:
        yield tokeniser.decode(waiting)


@dataclass(frozen=True)
class Writer:
    """Continues texts."""

    model: DecoderOnly
    tokeniser: BPE

    def stream(self, text: str, max_new: int = 200, choose: Choose = greedy_choice) -> Iterator[str]:
        """What follows ``text``, piece by piece as it is written; an empty text begins a new work.

        The end of a work, the next start token, ends it, too. A character of several tokens comes when it is whole.

        Raises:
            InputError: the text and ``max_new`` do not fit the model's positions, or a character has no id.
        """
        stop = [self.tokeniser.vocab[START]]
        ids = stream(self.model, with_start(self.tokeniser, text), max_new, choose, stop)
        return as_text(self.tokeniser, ids)

    def write(self, text: str, max_new: int = 200, choose: Choose = greedy_choice) -> str:
        """All of `stream` at once, without ``text`` itself.

        Raises:
            InputError: the text and ``max_new`` do not fit the model's positions, or a character has no id.
        """
        return "".join(self.stream(text, max_new, choose))
