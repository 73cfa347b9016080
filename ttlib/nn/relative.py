"""Relative positions as a bias of the scores: what a distance is worth (the chapter "Positions").

T5 learns it, a number per head and range of distances; ALiBi fixes it, a straight line per head.
"""

import math

import torch
from torch import nn

from ttlib.errors import require
from ttlib.nn.positions import AttentionPositions
from ttlib.shapes import Float, Int, Tensor


def distances(n_queries: int, n_keys: int, device: torch.device | None = None) -> Int[Tensor, "T S"]:
    """Key's position − query's position. The queries are the *last* positions, as in `ttlib.nn.masks.causal`.

    Raises:
        InputError: there are fewer keys than queries.
    """
    require(n_keys >= n_queries, "n_keys", n_keys, f"at least n_queries={n_queries}: positions are for self-attention")
    keys = torch.arange(n_keys, device=device)
    return keys - keys[n_keys - n_queries :, None]


def t5_buckets(
    distance: Int[Tensor, "..."], n_buckets: int = 32, max_distance: int = 128, *, both_sides: bool = True
) -> Int[Tensor, "..."]:
    """The bucket of each distance: near ones have one each, far ones share, beyond ``max_distance`` all share one.

    Raffel et al. 2019, §2.1. Half of a side's buckets are for the distances 0, 1, 2, …, the others grow
    logarithmically. With ``both_sides`` the upper half of all buckets is for keys on the right; without
    (in a decoder), keys on the right count as distance 0: the causal mask hides them.

    Raises:
        InputError: too few buckets, or a max_distance within those that have a bucket each.
    """
    smallest = 4 if both_sides else 2
    even = n_buckets >= smallest and n_buckets % smallest == 0
    require(even, "n_buckets", n_buckets, f"a multiple of {smallest}")
    side = n_buckets // 2 if both_sides else n_buckets
    exact = side // 2
    require(max_distance > exact, "max_distance", max_distance, f"more than {exact}, the distances with a bucket each")
    right = (distance > 0).long() * side if both_sides else 0
    n = distance.abs() if both_sides else (-distance).clamp(min=0)
    # In float32, as T5 itself does: at the borders, rounding decides.
    growth = (n.clamp(min=1).float() / exact).log() / math.log(max_distance / exact)
    far = (exact + (growth * (side - exact)).long()).clamp(max=side - 1)
    return right + torch.where(n < exact, n, far)


class T5Bias(AttentionPositions):
    """A learned number per head and bucket of distances (Raffel et al. 2019, §2.1). T5 shares it among all layers.

    T5 leaves out the factor 1/√d_k of the scores; here they have it, and the weights can make up for that.

    Raises:
        InputError: too few heads or buckets.
    """

    def __init__(self, n_heads: int, n_buckets: int = 32, max_distance: int = 128, *, both_sides: bool = True) -> None:
        super().__init__()
        require(n_heads > 0, "n_heads", n_heads, "at least one head")
        t5_buckets(torch.zeros(1, dtype=torch.long), n_buckets, max_distance, both_sides=both_sides)  # may refuse
        self.max_distance, self.both_sides = max_distance, both_sides
        self.table = nn.Parameter(torch.zeros(n_buckets, n_heads))

    def bias(self, n_queries: int, n_keys: int) -> Float[Tensor, "H T S"]:
        """The table's row for every distance.

        Raises:
            InputError: there are fewer keys than queries.
        """
        distance = distances(n_queries, n_keys, self.table.device)
        buckets = t5_buckets(distance, len(self.table), self.max_distance, both_sides=self.both_sides)  # (T, S)
        return self.table[buckets].permute(2, 0, 1)


def alibi_slopes(n_heads: int) -> Float[Tensor, " H"]:
    """2^(−8/H), 2^(−16/H), … 2^(−8), one per head (Press et al. 2021, §3).

    Where H is no power of two, as in the authors' code: the slopes of the next smaller power, then every
    other one of its double.

    Raises:
        InputError: there is no head.
    """
    require(n_heads > 0, "n_heads", n_heads, "at least one head")
    power = 2 ** math.floor(math.log2(n_heads))
    slopes = [2 ** (-8 * (h + 1) / power) for h in range(power)]
    slopes += [2 ** (-4 * (h + 1) / power) for h in range(0, 2 * (n_heads - power), 2)]
    return torch.tensor(slopes)


class Alibi(AttentionPositions):
    """``−slope · distance``: the farther, the less (ALiBi: Press et al. 2021, §3). Nothing is trained or stored.

    The paper has it for decoders; with a causal mask this is the paper's. Without a mask, left and right
    count alike, and a text read backwards gives the same vectors backwards: see `OneSidedAlibi`.

    Raises:
        InputError: there is no head.
    """

    slopes: Tensor

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.register_buffer("slopes", alibi_slopes(n_heads), persistent=False)

    def bias(self, n_queries: int, n_keys: int) -> Float[Tensor, "H T S"]:
        """``−slope · |distance|`` for every head, query and key.

        Raises:
            InputError: there are fewer keys than queries.
        """
        return -self.slopes[:, None, None] * distances(n_queries, n_keys, self.slopes.device).abs()


class OneSidedAlibi(Alibi):
    """ALiBi for encoders: every other head looks only to the left, the others only to the right.

    The paper covers decoders alone; its authors discuss encoders in issue 5 of
    github.com/ofirpress/attention_with_linear_biases. Every head sees the query's own place.
    """

    def bias(self, n_queries: int, n_keys: int) -> Float[Tensor, "H T S"]:
        """``−slope · |distance|`` on the head's own side, −∞ on the other.

        Raises:
            InputError: there are fewer keys than queries.
        """
        distance = distances(n_queries, n_keys, self.slopes.device)  # (T, S)
        sign = torch.ones_like(self.slopes)
        sign[1::2] = -1  # these look to the right
        hidden = sign[:, None, None] * distance > 0  # (H, T, S)
        return super().bias(n_queries, n_keys).masked_fill(hidden, -math.inf)
