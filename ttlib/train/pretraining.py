"""What BERT's pretraining minimises, and how well a model does it."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn import functional as F

from ttlib.data.pretraining import PretrainingBatch
from ttlib.errors import require
from ttlib.models.bert import BertPretraining
from ttlib.runtime import eval_mode
from ttlib.train.precision import autocast


class PretrainingLoss(nn.Module):
    """Masked tokens and next sentences: their two mean losses are added (Devlin et al. 2018, appendix A.2).

    The trainer divides a sum by the number of selected tokens; so each pair counts as many tokens as were
    selected per pair. With ``smoothing``, only the tokens' targets are smoothed. The head for tokens reads the
    selected places alone: the others have no loss.
    """

    next_sentence = True

    def __init__(self, model: BertPretraining, smoothing: float, dtype: str) -> None:
        super().__init__()
        self.model, self.smoothing, self.dtype = model, smoothing, dtype

    def forward(self, batch: PretrainingBatch) -> torch.Tensor:
        """The summed loss of a batch."""
        token_logits, pair_logits = self.scores(batch)
        targets = batch.originals[batch.selected]
        loss = F.cross_entropy(token_logits.float(), targets, label_smoothing=self.smoothing, reduction="sum")
        if not self.next_sentence:
            return loss
        return loss + F.cross_entropy(pair_logits.float(), batch.labels) * len(targets)

    def scores(self, batch: PretrainingBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits at the selected places (N, V) and of the pairs (B, 2)."""
        with autocast(batch.ids.device, self.dtype):
            # Padding stands where the originals have it: no selected token ever becomes padding, or was it.
            states = self.model.states(batch.ids, None, batch.segments)
            return self.model.token_logits(states[batch.selected]), self.model.pair_logits(states)


class MaskedTokenLoss(PretrainingLoss):
    """Masked tokens alone: what RoBERTa kept (Liu et al. 2019, §4.2)."""

    next_sentence = False


def evaluate(model: BertPretraining, batches: Iterable[PretrainingBatch], dtype: str = "float32") -> dict[str, float]:
    """``mlm`` and ``nsp``: mean losses per selected token and per pair; ``mlm_right``, ``nsp_right``: shares right.

    Raises:
        InputError: there are no batches, or nothing is selected in them.
    """
    sums = dict.fromkeys(("mlm", "mlm_right", "nsp", "nsp_right"), 0.0)
    tokens = pairs = 0
    loss = PretrainingLoss(model, 0.0, dtype)
    with eval_mode(model):
        for batch in batches:
            token_logits, pair_logits = (logits.float() for logits in loss.scores(batch))
            for name, logits, targets in (
                ("mlm", token_logits, batch.originals[batch.selected]),
                ("nsp", pair_logits, batch.labels),
            ):
                sums[name] += float(F.cross_entropy(logits, targets, reduction="sum"))
                sums[f"{name}_right"] += float((logits.argmax(-1) == targets).sum())
            tokens, pairs = tokens + int(batch.selected.sum()), pairs + len(batch.labels)
    require(tokens > 0, "batches", tokens, "at least one selected token")
    return {name: value / (tokens if name.startswith("mlm") else pairs) for name, value in sums.items()}
