"""The recurrent baseline: a GRU, which reads one token after another into a state of fixed size."""

import torch
from torch import nn

from ttlib.errors import require
from ttlib.shapes import Float, Tensor


class GRUCell(nn.Module):
    """One step of a gated recurrent unit: a new word and the old state make the new state.

    r = σ(W_r x + U_r h), z = σ(W_z x + U_z h), n = tanh(W_n x + r ⊙ (U_n h)), h' = (1 − z) ⊙ n + z ⊙ h, each product
    with a bias. Cho et al. 2014, §2.3, eq. 5–8, but for one detail: there r multiplies h before U_n does. Here it
    comes after, as in torch and cuDNN, so that all products with h are one.
    """

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__()
        self.w_x = nn.Linear(d_in, 3 * d_hidden)  # W_r, W_z, W_n, one below the other
        self.w_h = nn.Linear(d_hidden, 3 * d_hidden)  # U_r, U_z, U_n

    def forward(self, x: Float[Tensor, "B E"], h: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The state after one more word ``x``."""
        return self.step(self.w_x(x), h)

    def step(self, from_x: Float[Tensor, "B D3"], h: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The same with W x given: it needs no state, so a layer computes it for all words at once."""
        x_r, x_z, x_n = from_x.chunk(3, -1)  # (B, D) each
        h_r, h_z, h_n = self.w_h(h).chunk(3, -1)
        r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()  # reset, keep
        n = (x_n + r * h_n).tanh()  # the proposal
        return (1 - z) * n + z * h


class GRU(nn.Module):
    """A GRU layer: the cell, once per word, from left to right. Equal to ``torch.nn.GRU`` by test, but slower."""

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__()
        self.cell = GRUCell(d_in, d_hidden)

    def forward(
        self, x: Float[Tensor, "B T E"], h: Float[Tensor, "B D"] | None = None
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B D"]]:
        """All states, and the last one. ``h`` is the state before the first word; None means zeros.

        Raises:
            InputError: there is no word.
        """
        require(x.size(1) > 0, "x", tuple(x.shape), "at least one word on the second axis")
        from_x = self.cell.w_x(x)  # (B, T, 3D)
        h = x.new_zeros(len(x), self.cell.w_h.in_features) if h is None else h
        states = []
        for t in range(x.size(1)):  # each step waits for the one before
            h = self.cell.step(from_x[:, t], h)
            states.append(h)
        return torch.stack(states, 1), h
