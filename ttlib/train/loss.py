"""Cross-entropy with label smoothing, without ever storing all the logits."""

from typing import Any

import torch
from torch.nn import functional as F

from ttlib.shapes import Float, Int, Tensor

CHUNK = 1024  # rows of logits that exist at one time


class _LinearCrossEntropy(torch.autograd.Function):
    """Computes loss and gradients chunk by chunk; the logits of a chunk are overwritten by their gradient."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        wide = weight.to(states.dtype)
        grad_states, grad_weight = torch.empty_like(states), torch.zeros_like(weight)
        loss = torch.zeros((), dtype=torch.float32 if states.dtype == torch.bfloat16 else states.dtype)
        loss = loss.to(states.device)
        n_words = weight.size(0)
        for start in range(0, states.size(0), CHUNK):
            rows = slice(start, start + CHUNK)
            logits = (states[rows] @ wide.T).to(loss.dtype)  # (N, V)
            target = targets[rows, None]
            top = logits.gather(1, target)[:, 0]
            mean = logits.mean(1)
            lse = logits.logsumexp(1)
            loss += (lse - (1 - smoothing) * top - smoothing * mean).sum()
            grad = logits.sub_(lse[:, None]).exp_()  # softmax
            grad.sub_(smoothing / n_words)
            grad.scatter_add_(1, target, grad.new_full(target.shape, smoothing - 1))
            grad = grad.to(states.dtype)
            torch.mm(grad, wide, out=grad_states[rows])
            grad_weight += grad.T @ states[rows]
        ctx.save_for_backward(grad_states, grad_weight)
        return loss

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_states, grad_weight = ctx.saved_tensors
        return grad_states * grad_outputs[0].to(grad_states.dtype), grad_weight * grad_outputs[0], None, None


def linear_cross_entropy(
    states: Float[Tensor, "N D"], weight: Float[Tensor, "V D"], targets: Int[Tensor, " N"], smoothing: float = 0.0
) -> Float[Tensor, ""]:
    """Summed cross-entropy of ``states @ weight.T`` against ``targets`` with label smoothing.

    The same number, and the same gradients, as ``F.cross_entropy(states @ weight.T, targets,
    label_smoothing=smoothing, reduction="sum")`` (Szegedy et al. 2015, §7; Vaswani et al. 2017, §5.4), but
    the (N, V) logits, the largest tensor of the model, exist only 1,024 rows at a time.
    """
    return _LinearCrossEntropy.apply(states, weight, targets, smoothing)


def cross_entropy(
    logits: Float[Tensor, "N V"], targets: Int[Tensor, " N"], smoothing: float = 0.0
) -> Float[Tensor, ""]:
    """The same, from logits: the plain form."""
    return F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
