"""Keys and values that need not be computed again.

When a decoder writes one token at a time, the keys and values of earlier tokens do not change (they
never saw the later ones). A cache keeps them: a *growing* one for self-attention, a *fixed* one for
cross-attention, whose source never changes.
"""

from collections.abc import Callable

from ttlib.shapes import Float, Int, Tensor

KeysValues = tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]


class GrowingCache:
    """Self-attention's cache: every call appends the new tokens' keys and values.

    There is room for more tokens than there are, and when it is full it doubles. Else all of the past would be
    copied for every new token. Written for generation: no gradient goes back through an earlier call.
    """

    def __init__(self) -> None:
        self.room: KeysValues | None = None  # (B, H, room for tokens, K) each
        self.length = 0

    def __len__(self) -> int:
        return self.length

    @property
    def k(self) -> Float[Tensor, "B H S K"] | None:
        """The keys so far."""
        return None if self.room is None else self.room[0][:, :, : self.length]

    @property
    def v(self) -> Float[Tensor, "B H S K"] | None:
        """The values so far."""
        return None if self.room is None else self.room[1][:, :, : self.length]

    def update(self, project: Callable[[], KeysValues]) -> KeysValues:
        """Append what ``project()`` gives; return everything: two tensors (B, H, S, K)."""
        new = project()
        end = self.length + new[0].size(2)
        if self.room is None or end > self.room[0].size(2):
            self.room = larger(new[0], self.k, 2 * end), larger(new[1], self.v, 2 * end)
        for room, what in zip(self.room, new, strict=True):
            room[:, :, self.length : end] = what
        self.length = end
        return self.room[0][:, :, :end], self.room[1][:, :, :end]

    def select(self, rows: Int[Tensor, " B"]) -> None:
        """Keep these rows of the batch, in this order: finished rows leave it, beam search copies hypotheses."""
        if self.room is not None:
            self.room = self.room[0][rows], self.room[1][rows]


class FixedCache(GrowingCache):
    """Cross-attention's cache: computed at the first call, returned at every later one."""

    def update(self, project: Callable[[], KeysValues]) -> KeysValues:
        """Call ``project()`` once; return what it gave: two tensors (B, H, S, K)."""
        if self.room is None:
            self.room = project()
            self.length = self.room[0].size(2)
        return self.room


def larger(like: Float[Tensor, "B H T K"], old: Float[Tensor, "B H S K"] | None, n: int) -> Float[Tensor, "B H N K"]:
    """Room for ``n`` tokens, the old ones in front."""
    room = like.new_empty(like.size(0), like.size(1), n, like.size(3))
    if old is not None:
        room[:, :, : old.size(2)] = old
    return room
