"""What training minimises, as one module: it can be wrapped, compiled and spread over processes."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from ttlib.data.pairs import PairBatch
from ttlib.data.windows import TextBatch
from ttlib.models.seq2seq import Seq2Seq
from ttlib.train.loss import linear_cross_entropy
from ttlib.train.precision import autocast

Objective = Callable[[Any, float, str], nn.Module]  # (model, smoothing, dtype) → batch in, summed loss out


@runtime_checkable
class Batches(Protocol):
    """Where batches come from: the same for the same number of epoch, from any batch on."""

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Any, int]]:
        """Yield (this process's part of the batch, scored tokens in the whole batch), from batch ``start`` on."""
        ...


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
        return score(states[real], self.model.output_weight, batch.tgt_out[real], self.smoothing, self.dtype)


class LanguageModelLoss(nn.Module):
    """A batch of text in, the summed loss of every next token out. ``model`` is any decoder-only model."""

    def __init__(self, model: Any, smoothing: float, dtype: str) -> None:
        super().__init__()
        self.model, self.smoothing, self.dtype = model, smoothing, dtype

    def forward(self, batch: TextBatch) -> torch.Tensor:
        """Positions whose target is below 0 are read, not scored: padding, or a prompt that is only given."""
        with autocast(batch.ids.device, self.dtype):
            states = self.model.states(batch.ids)  # (B, T, D)
        states, targets = states.flatten(0, 1), batch.targets.flatten()
        real = targets >= 0
        if not real.all():  # picking rows costs as much as a layer's norm
            states, targets = states[real], targets[real]
        return score(states, self.model.output_weight, targets, self.smoothing, self.dtype)


def score(
    states: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, smoothing: float, dtype: str
) -> torch.Tensor:
    """Summed cross-entropy of states (N, D); the product with the vocabulary in the run's dtype."""
    if dtype == "bfloat16":
        states = states.bfloat16()
    return linear_cross_entropy(states, weight, targets, smoothing)


def compile_parts(model: nn.Module) -> None:
    """Compile each part of a model; of a list of blocks, each block (they share one compiled code)."""
    for part in model.children():
        for module in part if isinstance(part, nn.ModuleList) else (part,):
            module.compile(dynamic=True)
