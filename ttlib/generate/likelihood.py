"""How likely a model finds a text: any text, in numbers that do not depend on its tokens, or a given translation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from ttlib.data.language import with_start
from ttlib.data.pairs import IdPair, collate
from ttlib.data.windows import GIVEN, consecutive
from ttlib.errors import require
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import eval_mode
from ttlib.shapes import Float, Int, Tensor
from ttlib.text.tokeniser import BPE


@dataclass(frozen=True)
class TextScore:
    """−ln p of every token of some texts, and how long the texts are."""

    nats: Float[Tensor, " N"]
    n_characters: int
    n_bytes: int

    @property
    def bits_per_byte(self) -> float:
        """Comparable between tokenisers: the same text has the same bytes for all. What compression would reach."""
        return float(self.nats.sum()) / math.log(2) / self.n_bytes

    @property
    def per_character(self) -> float:
        """Nats per character: the loss of a character model."""
        return float(self.nats.sum()) / self.n_characters

    @property
    def perplexity(self) -> float:
        """Per token, so comparable only where the tokens are the same."""
        return math.exp(float(self.nats.mean()))


def token_nats(
    model: Any, ids: Int[Tensor, " N"], length: int | None = None, stride: int | None = None, batch: int = 16
) -> Float[Tensor, " N-1"]:
    """−ln p of every id but the first, in order, from ``model(ids)``, in windows of ``length`` (all its positions).

    Each window begins ``stride`` (half a window) after the last, and only its new tokens are counted: every token
    but the first few has at least ``length - stride`` before it. A smaller stride is fairer and takes longer.

    Raises:
        InputError: there are fewer than 2 ids, or the length or stride does not fit.
    """
    longest = model.config.max_len
    length = longest if length is None else length
    require(0 < length <= longest, "length", length, f"1 to {longest}, the model's positions")
    device = next(model.parameters()).device
    found = []
    with eval_mode(model):
        for part in consecutive(ids, length, stride or -(-length // 2), batch):
            logits = model(part.ids.to(device)).float()  # (B, T, V)
            targets = part.targets.to(device).flatten()
            nats = F.cross_entropy(logits.flatten(0, 1), targets, ignore_index=GIVEN, reduction="none")
            found.append(nats[targets != GIVEN].cpu())
    return torch.cat(found)


def score_texts(model: Any, tokeniser: BPE, texts: Sequence[str], stride: int | None = None) -> TextScore:
    """How well the model predicts whole texts, each from its first token on, after the start token.

    Raises:
        InputError: there is no text, or one is empty or has a character that the tokeniser does not know.
    """
    require(len(texts) > 0, "texts", 0, "at least one text")
    nats = [token_nats(model, torch.tensor(with_start(tokeniser, text)), stride=stride) for text in texts]
    return TextScore(torch.cat(nats), sum(map(len, texts)), sum(len(text.encode()) for text in texts))


def bits_per_byte(model: Any, tokeniser: BPE, text: str, stride: int | None = None) -> float:
    """The number by which models with different tokens are compared (`TextScore.bits_per_byte`).

    Raises:
        InputError: the text is empty or has a character that the tokeniser does not know.
    """
    return score_texts(model, tokeniser, [text], stride).bits_per_byte


def log_probabilities(model: Seq2Seq, pairs: Sequence[IdPair], batch: int = 50) -> Float[Tensor, " N"]:
    """What each pair has as log p(target | source), in nats: the sum over its tokens, eos among them.

    Pairs are those that training sees: the source with eos, the target between its tag and eos.

    Raises:
        InputError: there are no pairs.
    """
    require(len(pairs) > 0, "pairs", 0, "at least one pair")
    device = next(model.parameters()).device
    found = []
    with eval_mode(model):
        for start in range(0, len(pairs), batch):
            part = collate(pairs[start : start + batch], model.config.pad_id).to(device)
            logp = model(part.src, part.tgt_in).float().log_softmax(-1)  # (B, T, V)
            steps = logp.gather(2, part.tgt_out[..., None])[..., 0]  # (B, T)
            found.append(steps.masked_fill(part.tgt_out == model.config.pad_id, 0).sum(1))
    return torch.cat(found).clone()
