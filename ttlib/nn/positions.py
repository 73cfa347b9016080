"""Where a token stands. Attention by itself cannot tell: permute its input and its output permutes alike."""

import torch
from torch import nn

from ttlib.errors import require
from ttlib.shapes import Float, Tensor


def sinusoids(max_len: int, d_model: int) -> Float[Tensor, "T D"]:
    """PE(t, 2i) = sin(t / 10000^(2i/D)), PE(t, 2i+1) = cos(the same): Vaswani et al. 2017, §3.5.

    Raises:
        InputError: d_model is odd.
    """
    require(d_model % 2 == 0, "d_model", d_model, "an even number: sines and cosines come in pairs")
    t = torch.arange(max_len, dtype=torch.float64)[:, None]  # (T, 1)
    frequency = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (D/2,)
    angle = t * frequency  # (T, D/2)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1).float()


class SinusoidalPositions(nn.Module):
    """Adds the fixed sinusoids of Vaswani et al. 2017, §3.5. Nothing is trained or stored."""

    table: Tensor

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(max_len, d_model), persistent=False)

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """Add the vectors of positions start … start + T − 1.

        Raises:
            InputError: the sequence goes beyond max_len.
        """
        return x + rows(self.table, start, x.size(1))


class LearnedPositions(nn.Module):
    """Adds a trained vector per position (Gehring et al. 2017; BERT and GPT use it). It ends at max_len."""

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_len, d_model) * d_model**-0.5)

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """Add the vectors of positions start … start + T − 1.

        Raises:
            InputError: the sequence goes beyond max_len.
        """
        return x + rows(self.table, start, x.size(1))


class AttentionPositions(nn.Module):
    """Positions that act inside self-attention instead of on its input; `ttlib.nn.multihead` asks both methods.

    This class itself changes nothing. Subclasses turn queries and keys (`ttlib.nn.rope`) or say what a
    distance is worth (`ttlib.nn.relative`).
    """

    def turn(self, x: Float[Tensor, "B H T K"], start: int = 0) -> Float[Tensor, "B H T K"]:
        """Queries or keys that stand at positions start … start + T − 1."""
        return x

    def bias(self, n_queries: int, n_keys: int) -> Float[Tensor, "H T S"] | None:
        """What is added to the scores. With a cache there are more keys: the queries are the *last* positions."""
        return None


def rows(table: Float[Tensor, "L D"], start: int, length: int) -> Float[Tensor, "T D"]:
    """Rows start … start + length − 1 of a table of positions."""
    end = start + length
    require(end <= table.size(0), "sequence length", end, f"at most max_len={table.size(0)} positions")
    return table[start:end]
