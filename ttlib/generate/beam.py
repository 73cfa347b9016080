"""Translate by keeping the best few beginnings instead of one."""

import torch

from ttlib.errors import require
from ttlib.generate.greedy import check_length, start_tokens
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.blocks import BlockCache
from ttlib.runtime import eval_mode
from ttlib.shapes import Float, Int, Tensor


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^alpha: what log-probabilities are divided by (Wu et al. 2016, §7, eq. 14)."""
    return ((5 + length) / 6) ** alpha


def beam_search(
    model: Seq2Seq,
    src: Int[Tensor, "B S"],
    max_len: int,
    beam: int = 4,
    alpha: float = 0.6,
    prefix: Int[Tensor, " P"] | None = None,
) -> list[list[int]]:
    """The best target ids of each row, without prefix and eos (Vaswani et al. 2017, §6.1: beam 4, alpha 0.6).

    ``beam`` = 1 is greedy search. A finished hypothesis is scored by its log-probability over the length
    penalty; a row is done when ``beam`` hypotheses have finished, or when the best living one, scored at its own
    length, is behind the best finished one.

    Raises:
        InputError: beam is not positive, or the lengths go beyond the model's positions.
    """
    require(beam > 0, "beam", beam, "a positive number")
    check_length(model, max_len, prefix)
    with eval_mode(model):
        memory, mask = model.encode(src)
        rows = torch.arange(src.size(0), device=src.device).repeat_interleave(beam)
        memory, mask = memory[rows], mask[rows]
        caches = model.decoder.new_caches()
        new = start_tokens(model, src, prefix)[rows]
        search = Beams(src.size(0), beam, alpha, model.config.eos_id, src.device)
        for step in range(max_len):
            states = model.decode(new, memory, mask, caches)
            logp = model.logits(states[:, -1]).float().log_softmax(-1)  # (B * beam, V)
            parents, tokens = search.advance(logp, last=step + 1 == max_len)
            if search.finished():
                break
            reorder(caches, parents)
            new = tokens[:, None]
    return search.best()


def reorder(caches: list[BlockCache], parents: Int[Tensor, " N"]) -> None:
    """Let every hypothesis inherit its parent's past; the source's keys and values stay (same sentence)."""
    for cache in caches:
        cache.self_attention.select(parents)


class Beams:
    """The living and the finished hypotheses of a batch."""

    def __init__(self, n_rows: int, beam: int, alpha: float, eos_id: int, device: torch.device) -> None:
        self.beam, self.alpha, self.eos_id = beam, alpha, eos_id
        self.logp = torch.full((n_rows, beam), -torch.inf, device=device)
        self.logp[:, 0] = 0.0  # all hypotheses are the same at first: only one may branch
        self.tokens: list[list[list[int]]] = [[[] for _ in range(beam)] for _ in range(n_rows)]
        self.done: list[tuple[float, list[int]]] = [(-float("inf"), []) for _ in range(n_rows)]
        self.n_done = [0] * n_rows
        self.open = [True] * n_rows

    def advance(self, logp: Float[Tensor, "N V"], last: bool) -> tuple[Int[Tensor, " N"], Int[Tensor, " N"]]:
        """Extend every hypothesis by every token, keep the best; returns (parents, new tokens)."""
        n_rows, n_words = len(self.tokens), logp.size(-1)
        total = (self.logp[..., None] + logp.view(n_rows, self.beam, n_words)).flatten(1)  # (B, beam * V)
        scores, flat = total.topk(min(2 * self.beam, total.size(1)))  # twice: at most half of them can be eos
        parents = torch.zeros(n_rows, self.beam, dtype=torch.long)
        tokens = torch.full((n_rows, self.beam), self.eos_id)
        kept_logp = torch.full((n_rows, self.beam), -torch.inf)
        for row, (row_scores, row_flat) in enumerate(zip(scores.tolist(), flat.tolist(), strict=True)):
            if not self.open[row]:
                continue
            grown: list[list[int]] = []
            for rank, (score, index) in enumerate(zip(row_scores, row_flat, strict=True)):
                parent, token = divmod(index, n_words)
                past = self.tokens[row][parent]
                if token == self.eos_id or last:
                    if rank < self.beam:  # one of the best few, not merely of those looked at
                        self.finish(row, score, past if token == self.eos_id else [*past, token])
                elif len(grown) < self.beam:
                    slot = len(grown)
                    parents[row, slot], tokens[row, slot], kept_logp[row, slot] = parent, token, score
                    grown.append([*past, token])
            self.tokens[row] = grown + [[] for _ in range(self.beam - len(grown))]
            length = len(grown[0]) + 1 if grown else 1
            hope = float(kept_logp[row, 0]) / length_penalty(length, self.alpha)
            self.open[row] = not last and hope > self.done[row][0] and self.n_done[row] < self.beam
        self.logp = kept_logp.to(self.logp.device)
        offset = torch.arange(n_rows)[:, None] * self.beam
        return (parents + offset).flatten().to(logp.device), tokens.flatten().to(logp.device)

    def finish(self, row: int, score: float, ids: list[int]) -> None:
        """Remember a finished hypothesis if it is the best of its row."""
        self.n_done[row] += 1
        score /= length_penalty(len(ids) + 1, self.alpha)
        if score > self.done[row][0]:
            self.done[row] = (score, ids)

    def finished(self) -> bool:
        """Whether no row has a hypothesis worth extending."""
        return not any(self.open)

    def best(self) -> list[list[int]]:
        """The best finished hypothesis of each row."""
        return [ids for _, ids in self.done]
