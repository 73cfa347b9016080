"""Talk with a language model: turns in a template, answers as they come, one cache for the whole conversation."""

from collections.abc import Callable, Iterator

from ttlib.errors import require
from ttlib.generate.loop import Choose
from ttlib.generate.sample import greedy_choice, stream
from ttlib.generate.session import CachedSession
from ttlib.generate.writer import as_text
from ttlib.models.decoder_only import DecoderOnly
from ttlib.text.tokeniser import BPE

BEGIN, END = "<|im_start|>", "<|im_end|>"


def turn(tokeniser: BPE, role: str, text: str) -> list[int]:
    """Ids of ``<|im_start|>role⏎text<|im_end|>⏎``, one turn of the template called ChatML.

    The marks are put in as ids. Whoever *types* ``<|im_end|>`` gets ordinary tokens: nobody can end a turn from inside.
    """
    begin, end = tokeniser.vocab[BEGIN], tokeniser.vocab[END]
    inside = tokeniser.encode(f"{role}\n{text}")
    return [begin, *inside, end, *tokeniser.encode("\n")]


def opening(tokeniser: BPE) -> list[int]:
    """Ids of ``<|im_start|>assistant⏎``: the model's turn, which it is to continue and to end by itself."""
    return [tokeniser.vocab[BEGIN], *tokeniser.encode("assistant\n")]


class Chat:
    """A conversation. ``ids`` is all of it; what the caches have read is never read again.

    ``choose`` picks each token (`ttlib.generate.sample`); an answer ends by itself or after ``max_new`` tokens.

    Raises:
        InputError: the tokeniser has not the template's marks.
    """

    def __init__(
        self, model: DecoderOnly, tokeniser: BPE, system: str, choose: Choose = greedy_choice, max_new: int = 256
    ) -> None:
        require({BEGIN, END} <= tokeniser.vocab.keys(), "tokeniser", tokeniser.specials, f"the marks {BEGIN} and {END}")
        self.model, self.tokeniser, self.choose, self.max_new = model, tokeniser, choose, max_new
        self.session = CachedSession(model)
        self.ids = turn(tokeniser, "system", system)

    def say(self, text: str) -> Iterator[str]:
        """Put a user's turn to the model; its answer in pieces, each as soon as it is written.

        Raises:
            InputError: the conversation would go beyond the model's positions.
        """
        asked = turn(self.tokeniser, "user", text) + opening(self.tokeniser)
        length, most = len(self.ids) + len(asked), self.model.config.max_len - self.max_new
        require(length <= most, "text", f"a conversation of {length} ids", f"at most {most}; begin a new one")
        return as_text(self.tokeniser, self._answer(asked))

    def _answer(self, asked: list[int]) -> Iterator[int]:
        self.ids += asked
        known = len(self.session.caches[0])
        end = self.tokeniser.vocab[END]
        try:
            for i in stream(self.model, self.ids[known:], self.max_new, self.choose, (end,), self.session):
                self.ids.append(i)
                yield i
        finally:  # whether it ended, was cut, or nobody listened any longer
            self.ids += [end, *self.tokeniser.encode("\n")]


def converse(chat: Chat, read: Callable[[str], str] = input) -> None:
    """Talk in a terminal until an empty line."""
    while text := read("you: ").strip():
        print("model: ", end="")
        for piece in chat.say(text):
            print(piece, end="", flush=True)
        print()
