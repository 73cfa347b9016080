"""Translate by taking the likeliest token at every step."""

from ttlib.errors import require
from ttlib.generate.sample import generate
from ttlib.generate.session import TranslationSession
from ttlib.models.seq2seq import Seq2Seq
from ttlib.shapes import Int, Tensor


def greedy(
    model: Seq2Seq, src: Int[Tensor, "B S"], max_len: int, prefix: Int[Tensor, " P"] | None = None
) -> list[list[int]]:
    """Target ids of each row, without the prefix and without eos; at most ``max_len`` of them.

    ``prefix`` is what every target begins with: by default bos alone.

    Raises:
        InputError: max_len is not positive, or prefix and max_len go beyond the model's positions.
    """
    prompt = start_tokens(model, max_len, prefix)
    session = TranslationSession(model, src)
    return generate(model, [prompt] * src.size(0), max_len, stop=(model.config.eos_id,), session=session)


def start_tokens(model: Seq2Seq, max_len: int, prefix: Int[Tensor, " P"] | None) -> list[int]:
    """What every target begins with, and room for ``max_len`` more.

    Raises:
        InputError: the model has no positions for that.
    """
    start = [model.config.bos_id] if prefix is None else prefix.tolist()
    room = model.config.max_len - len(start) + 1  # the last token is never fed
    require(0 < max_len <= room, "max_len", max_len, f"1 to {room}: the model has {model.config.max_len} positions")
    return start
