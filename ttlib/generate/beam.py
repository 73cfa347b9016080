"""Translate by keeping the best few beginnings instead of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ttlib.errors import require
from ttlib.generate.greedy import start_tokens
from ttlib.generate.loop import check_prompts
from ttlib.generate.session import CachedSession, Session, TranslationSession
from ttlib.models.seq2seq import Seq2Seq
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
    prompt = start_tokens(model, max_len, prefix)
    search = Search(max_len, model.config.eos_id, beam, alpha)
    with eval_mode(model):
        return search.run(TranslationSession(model, src), [prompt] * src.size(0))


def beam_generate(
    model: Any, prompts: Sequence[Sequence[int]], max_new: int, stop: int, beam: int = 4, alpha: float = 0.6
) -> list[list[int]]:
    """The same search for a decoder-only model: the best continuation of each prompt, which ``stop`` ends.

    Raises:
        InputError: beam is not positive, the prompts differ in length, or go beyond the model's positions.
    """
    check_prompts(prompts, max_new, model.config.max_len)
    lengths = sorted({len(prompt) for prompt in prompts})
    require(len(lengths) == 1, "prompts", f"lengths {lengths}", "one length: search the others in another call")
    search = Search(max_new, stop, beam, alpha)
    with eval_mode(model):
        return search.run(CachedSession(model), prompts)


@dataclass(frozen=True)
class Search:
    """Beam search with any model: at most ``max_len`` tokens, of which ``eos_id`` is the last.

    Raises:
        InputError: beam is not positive.
    """

    max_len: int
    eos_id: int
    beam: int
    alpha: float

    def __post_init__(self) -> None:
        """Check the beam."""
        require(self.beam > 0, "beam", self.beam, "a positive number")

    def run(self, session: Session, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
        """The best continuation of each prompt; they are all of one length."""
        new = torch.tensor(prompts, device=next(session.model.parameters()).device)  # (B, P)
        beams = Beams(len(new), self.beam, self.alpha, self.eos_id, new.device)
        copies = torch.arange(len(new), device=new.device).repeat_interleave(self.beam)
        logits = session.advance(new)[copies]  # (B * beam, V): prompts are read once, not by every hypothesis
        session.select(copies)
        for step in range(1, self.max_len + 1):
            parents, tokens = beams.advance(logits.float().log_softmax(-1), last=step == self.max_len)
            if beams.finished():
                break
            session.reorder(parents)
            logits = session.advance(tokens[:, None])
        return beams.best()


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
