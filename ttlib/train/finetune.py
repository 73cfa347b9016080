"""Fine-tuning: what is minimised when an encoder with a head learns from labels, and what it then says."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ttlib.data.labelled import IGNORE, Example, LabelledBatch, LabelledBatches, labelled_batch
from ttlib.models.finetuned import BertWithHead
from ttlib.runtime import eval_mode
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer
from ttlib.train.precision import autocast


class LabelledLoss(nn.Module):
    """Summed cross-entropy of classes, of tags, or of the first and last tokens of answers."""

    def __init__(self, model: BertWithHead, smoothing: float, dtype: str) -> None:
        super().__init__()
        self.model, self.smoothing, self.dtype = model, smoothing, dtype

    def forward(self, batch: LabelledBatch) -> torch.Tensor:
        """Tokens whose target is `IGNORE` have no loss."""
        with autocast(batch.ids.device, self.dtype):
            logits = self.model(batch.ids, batch.segments).float()  # (B, C), (B, T, C) or (B, 2, T)
        return F.cross_entropy(
            logits.flatten(0, -2),
            batch.targets.flatten(),
            ignore_index=IGNORE,
            label_smoothing=self.smoothing,
            reduction="sum",
        )


def fine_tune(model: BertWithHead, examples: Sequence[Example], batch_size: int, config: TrainConfig) -> list[float]:
    """Train a model on labelled examples; returns the mean loss of every step.

    Raises:
        InputError: there are no examples, or a gradient is not finite.
    """
    batches = LabelledBatches(examples, batch_size, config.seed)
    trainer = Trainer(model, batches, config, objective=LabelledLoss)
    history = trainer.run(show=False)
    return [point["loss"] for point in history]


def predict(
    model: BertWithHead, examples: Sequence[Example], batch_size: int = 64, dtype: str = "float32"
) -> list[torch.Tensor]:
    """What the model says of each example, in order: (C,), (T, C) or (2, T) with the padding of its batch.

    Examples of like length share a batch, so that little is padding.
    """
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    found: dict[int, torch.Tensor] = {}
    with eval_mode(model), autocast(device, dtype):
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            batch = labelled_batch([examples[i] for i in rows]).to(device)
            found |= zip(rows, model(batch.ids, batch.segments).float().cpu(), strict=True)
    return [found[i] for i in range(len(examples))]
