"""AdamW for transformers, and the moving average of the weights."""

import torch
from torch import nn

from ttlib.train.config import TrainConfig


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2017; β₂ = 0.98 is the transformer paper's); no decay on biases and norms."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, config.beta2), fused=True)


class MovingAverage:
    """An exponential moving average of a model's parameters (Polyak & Juditsky 1992, in its running form).

    One step's weights are noisy; their average translates better, at no cost in training.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the model; young averages move faster, so that the start is forgotten."""
        decay = min(self.decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(list(self.values.values()), [p.detach() for p in model.parameters()], 1 - decay)

    def load(self, values: dict[str, torch.Tensor]) -> None:
        """Take over saved values, in the order of our own names."""
        self.values = {name: values[name].to(own.device) for name, own in self.values.items()}
