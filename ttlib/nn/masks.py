"""Who may attend to whom. The only place where masks are made.

A mask is boolean, **True = may attend**, and broadcasts to the scores' shape (B, H, T, S). Masks are
joined with ``&``. A query row without a single True gets weights of zero, never NaN
(`ttlib.nn.attention`). Note that ``nn.MultiheadAttention`` of torch means the opposite by a boolean
mask (True = hidden), while ``F.scaled_dot_product_attention`` means the same as we do.
"""

import torch

from ttlib.errors import require
from ttlib.shapes import Bool, Int, Tensor


def causal(n_queries: int, n_keys: int | None = None, device: torch.device | None = None) -> Bool[Tensor, "T S"]:
    """Query t may attend to keys 0 … t: nobody looks into the future (Vaswani et al. 2017, §3.2.3).

    With a cache there are more keys than queries; the queries are then the *last* positions, so query t
    may attend to keys 0 … t + (S − T). Torch's ``is_causal=True`` aligns at the top left instead, which
    would let a single new query see only key 0.

    Raises:
        InputError: there are fewer keys than queries.
    """
    n_keys = n_queries if n_keys is None else n_keys
    require(n_keys >= n_queries, "n_keys", n_keys, f"at least n_queries={n_queries}")
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return ones.tril(n_keys - n_queries)


def prefix(lengths: Int[Tensor, " B"], n: int) -> Bool[Tensor, "B 1 T T"]:
    """The first ``lengths[b]`` of row b's ``n`` tokens see one another; every later token sees what came before it.

    A prefix LM: an encoder's mask over the input, a decoder's over the output, in one model (Raffel et al. 2019,
    §3.2.1 and figure 4; Liu et al. 2018). A length of 0 or 1 gives the causal mask, n the mask of an encoder.

    Raises:
        InputError: a prefix is longer than the row.
    """
    fits = bool(((lengths >= 0) & (lengths <= n)).all())
    require(fits, "lengths", lengths.tolist(), f"from 0 to n={n}")
    inside = torch.arange(n, device=lengths.device) < lengths[:, None]  # (B, T): which keys belong to the prefix
    return causal(n, device=lengths.device) | inside[:, None, None, :]


def padding(ids: Int[Tensor, "B S"], pad_id: int) -> Bool[Tensor, "B 1 1 S"]:
    """Keys that are real tokens: no query attends to padding."""
    return (ids != pad_id)[:, None, None, :]


def check_mask(mask: Tensor, scores_shape: tuple[int, ...]) -> None:
    """Refuse a mask that is not boolean or does not broadcast to the scores.

    Raises:
        InputError: with the dtype or the two shapes.
    """
    require(mask.dtype == torch.bool, "mask", mask.dtype, "torch.bool with True = may attend")
    fits = broadcasts_to(tuple(mask.shape), scores_shape)
    require(fits, "mask", tuple(mask.shape), f"a shape that broadcasts to (B, H, T, S) = {scores_shape}")


def broadcasts_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether a tensor of ``shape`` can be stretched to ``target`` without making that larger."""
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(have in (1, want) for have, want in pairs)
