"""What training minimises, as one module: it can be wrapped, compiled and spread over processes."""

import torch
from torch import nn

from ttlib.data.pairs import PairBatch
from ttlib.models.seq2seq import Seq2Seq
from ttlib.train.loss import linear_cross_entropy
from ttlib.train.precision import autocast


class TranslationLoss(nn.Module):
    """A batch in, the summed loss of its target tokens out: the module that is trained."""

    def __init__(self, model: Seq2Seq, smoothing: float, dtype: str) -> None:
        super().__init__()
        self.model, self.smoothing, self.dtype = model, smoothing, dtype

    def forward(self, batch: PairBatch) -> torch.Tensor:
        """Only positions that hold a token are scored: padding never reaches the output projection."""
        with autocast(batch.src.device, self.dtype):
            states = self.model.states(batch.src, batch.tgt_in)  # (B, T, D)
        real = batch.tgt_out != self.model.config.pad_id
        states = states[real]  # (N, D)
        if self.dtype == "bfloat16":
            states = states.bfloat16()
        return linear_cross_entropy(states, self.model.output_weight, batch.tgt_out[real], self.smoothing)
