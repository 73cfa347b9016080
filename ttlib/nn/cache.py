"""Keys and values that need not be computed again.

When a decoder writes one token at a time, the keys and values of earlier tokens do not change (they
never saw the later ones). A cache keeps them: a *growing* one for self-attention, a *fixed* one for
cross-attention, whose source never changes.
"""

from collections.abc import Callable

import torch

from ttlib.shapes import Float, Int, Tensor

KeysValues = tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]


class GrowingCache:
    """Self-attention's cache: every call appends the new tokens' keys and values."""

    def __init__(self) -> None:
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.size(2)

    def update(self, project: Callable[[], KeysValues]) -> KeysValues:
        """Append what ``project()`` gives; return everything: two tensors (B, H, S, K)."""
        k, v = project()
        self.k = k if self.k is None else torch.cat([self.k, k], 2)
        self.v = v if self.v is None else torch.cat([self.v, v], 2)
        return self.k, self.v

    def select(self, rows: Int[Tensor, " B"]) -> None:
        """Keep these rows of the batch, in this order: beam search drops and copies hypotheses."""
        if self.k is not None and self.v is not None:
            self.k, self.v = self.k[rows], self.v[rows]


class FixedCache(GrowingCache):
    """Cross-attention's cache: computed at the first call, returned at every later one."""

    def update(self, project: Callable[[], KeysValues]) -> KeysValues:
        """Call ``project()`` once; return what it gave: two tensors (B, H, S, K)."""
        if self.k is None or self.v is None:
            self.k, self.v = project()
        return self.k, self.v
