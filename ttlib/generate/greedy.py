"""Translate by taking the likeliest token at every step."""

import torch

from ttlib.errors import require
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import eval_mode
from ttlib.shapes import Int, Tensor


def greedy(
    model: Seq2Seq, src: Int[Tensor, "B S"], max_len: int, prefix: Int[Tensor, " P"] | None = None
) -> list[list[int]]:
    """Target ids of each row, without the prefix and without eos; at most ``max_len`` of them.

    ``prefix`` is what every target begins with: by default bos alone. Each step feeds only the newest
    token; the caches hold the rest. Rows that have ended leave the batch.

    Raises:
        InputError: max_len is not positive, or prefix and max_len go beyond the model's positions.
    """
    check_length(model, max_len, prefix)
    with eval_mode(model):
        memory, mask = model.encode(src)
        caches = model.decoder.new_caches()
        new = start_tokens(model, src, prefix)
        output: list[list[int]] = [[] for _ in range(src.size(0))]
        alive = torch.arange(src.size(0), device=src.device)
        for _ in range(max_len):
            states = model.decode(new, memory, mask, caches)
            chosen = model.logits(states[:, -1]).argmax(-1)  # (B,)
            going = chosen != model.config.eos_id
            for row, token in zip(alive[going].tolist(), chosen[going].tolist(), strict=True):
                output[row].append(token)
            if not going.any():
                break
            if not going.all():
                alive, chosen, memory, mask = alive[going], chosen[going], memory[going], mask[going]
                for cache in caches:
                    cache.select(going.nonzero()[:, 0])
            new = chosen[:, None]
    return output


def start_tokens(model: Seq2Seq, src: Tensor, prefix: Tensor | None) -> Int[Tensor, "B P"]:
    """The first target tokens of every row."""
    first = torch.tensor([model.config.bos_id]) if prefix is None else prefix
    return first.to(src.device).expand(src.size(0), -1)


def check_length(model: Seq2Seq, max_len: int, prefix: Tensor | None) -> None:
    """Refuse lengths that the model has no positions for."""
    room = model.config.max_len - (1 if prefix is None else len(prefix)) + 1
    require(0 < max_len <= room, "max_len", max_len, f"1 to {room}: the model has {model.config.max_len} positions")
