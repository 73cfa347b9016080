"""Do two layers say the same in other words? A similarity that no rotation changes, and the map between them."""

import torch
from torch import nn

from ttlib.errors import require
from ttlib.shapes import Float, Tensor


def linear_cka(x: Float[Tensor, "N D"], y: Float[Tensor, "M E"]) -> float:
    """‖Yᵀ X‖² / (‖Xᵀ X‖ ‖Yᵀ Y‖) of centred columns: 1 where y is x turned, scaled and moved, near 0 where unrelated.

    Centred kernel alignment with a linear kernel (Kornblith et al. 2019, §3). Rows belong together; the
    widths may differ. Beware of few rows: unrelated vectors get about D / N.

    Raises:
        InputError: the numbers of rows differ, there are fewer than two, or one side is constant.
    """
    check_pairs(x, y)
    x, y = x - x.mean(0), y - y.mean(0)
    size = (x.T @ x).norm() * (y.T @ y).norm()
    require(bool(size > 0), "x", "constant rows", "rows that differ")
    return ((y.T @ x).square().sum() / size).item()


def least_squares_map(x: Float[Tensor, "N D"], y: Float[Tensor, "M E"], ridge: float = 0.0) -> nn.Linear:
    """The linear layer that turns x into y with the least mean of ‖W x + b − y‖², plus ``ridge`` · ‖W‖².

    W = (Xᵀ X + N · ridge · I)⁻¹ Xᵀ Y of centred columns; the bias moves mean to mean.

    Raises:
        InputError: the numbers of rows differ, there are fewer than two, or ridge is negative.
    """
    check_pairs(x, y)
    require(ridge >= 0, "ridge", ridge, "0 or more")
    a, b = x.double(), y.double()
    mean_a, mean_b = a.mean(0), b.mean(0)
    a, b = a - mean_a, b - mean_b
    gram = a.T @ a + len(a) * ridge * torch.eye(a.size(1), dtype=a.dtype, device=a.device)
    weight = (torch.linalg.pinv(gram, hermitian=True) @ (a.T @ b)).T  # also where columns depend on each other
    layer = nn.Linear(x.size(1), y.size(1), dtype=x.dtype, device=x.device)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(mean_b - weight @ mean_a)
    return layer.requires_grad_(False)


def check_pairs(x: Tensor, y: Tensor) -> None:
    """Refuse rows that do not come in pairs."""
    require(len(x) == len(y), "y", tuple(y.shape), f"as many rows as x, {len(x)}")
    require(len(x) > 1, "x", tuple(x.shape), "at least two rows")
