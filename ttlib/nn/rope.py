"""Rotary positions: turn each query and key by an angle that grows with its position (the chapter "Positions").

After the turn, the score of a query at m and a key at n depends on their places by m − n alone.
"""

from collections.abc import Callable

import torch

from ttlib.errors import require
from ttlib.nn.positions import AttentionPositions
from ttlib.shapes import Float, Tensor


def rope_angles(
    length: int, d_head: int, start: int = 0, *, base: float = 10000.0, device: torch.device | None = None
) -> Float[Tensor, "T half"]:
    """Angles t · base^(−2i / d_head) of positions t = start … start + length − 1 and pairs i (Su et al. 2021, §3.2.2).

    In float64, since in single precision a far position times a frequency loses digits.

    Raises:
        InputError: d_head is odd, or start is negative.
    """
    require(d_head > 0 and d_head % 2 == 0, "d_head", d_head, "an even number: numbers are turned in pairs")
    require(start >= 0, "start", start, "a position, 0 or more")
    t = torch.arange(start, start + length, dtype=torch.float64, device=device)  # (T,)
    pair = torch.arange(0, d_head, 2, dtype=torch.float64, device=device)  # 2i
    return torch.outer(t, base ** (-pair / d_head))


def rotate_pairs(x: Float[Tensor, "B H T K"], angles: Float[Tensor, "T half"]) -> Float[Tensor, "B H T K"]:
    """Turn the pairs (0, 1), (2, 3), … of each vector: the layout of the paper (Su et al. 2021, §3.4.2)."""
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  # (T, K/2)
    a, b = x[..., 0::2], x[..., 1::2]  # (B, H, T, K/2)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def rotate_halves(x: Float[Tensor, "B H T K"], angles: Float[Tensor, "T half"]) -> Float[Tensor, "B H T K"]:
    """Turn the pairs (0, K/2), (1, K/2 + 1), …: the layout of Llama's weights in Hugging Face's format.

    The same function up to the order of the numbers: see `pairs_to_halves`.
    """
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  # (T, K/2)
    a, b = x.chunk(2, -1)  # (B, H, T, K/2)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def pairs_to_halves(x: Float[Tensor, "... K"]) -> Float[Tensor, "... K"]:
    """Put the first of every pair into the first half, the second into the second half.

    rotate_halves(pairs_to_halves(x)) = pairs_to_halves(rotate_pairs(x)). To convert a trained layer, do
    this to the K output rows of each head in W_Q and in W_K; scores stay as they are.

    Raises:
        InputError: the last axis is odd.
    """
    require(x.size(-1) % 2 == 0, "x", tuple(x.shape), "an even last axis")
    return torch.cat([x[..., 0::2], x[..., 1::2]], -1)


def halves_to_pairs(x: Float[Tensor, "... K"]) -> Float[Tensor, "... K"]:
    """The way back from `pairs_to_halves`.

    Raises:
        InputError: the last axis is odd.
    """
    require(x.size(-1) % 2 == 0, "x", tuple(x.shape), "an even last axis")
    return torch.stack(x.chunk(2, -1), -1).flatten(-2)


class RotaryPositions(AttentionPositions):
    """Turns queries and keys (RoPE: Su et al. 2021, §3.2.2). Nothing is trained, stored or limited in length.

    ``rotate`` is `rotate_pairs`, or `rotate_halves` for weights that were trained in that layout.

    Raises:
        InputError: d_head is odd.
    """

    def __init__(
        self, d_head: int, base: float = 10000.0, rotate: Callable[[Tensor, Tensor], Tensor] = rotate_pairs
    ) -> None:
        super().__init__()
        require(d_head > 0 and d_head % 2 == 0, "d_head", d_head, "an even number: numbers are turned in pairs")
        require(base > 1, "base", base, "a number above 1")
        self.d_head, self.base, self.rotate = d_head, base, rotate

    def turn(self, x: Float[Tensor, "B H T K"], start: int = 0) -> Float[Tensor, "B H T K"]:
        """Queries or keys at positions start … start + T − 1, turned.

        Raises:
            InputError: the vectors are not of width d_head.
        """
        require(x.size(-1) == self.d_head, "x", tuple(x.shape), f"vectors of d_head={self.d_head}")
        return self.rotate(x, rope_angles(x.size(-2), self.d_head, start, base=self.base, device=x.device))
