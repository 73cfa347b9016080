"""Scaled dot-product attention: the formula in the open, and torch's fused kernel."""

import math

import torch
import torch.nn.functional as F

from ttlib.errors import require
from ttlib.nn.masks import broadcasts_to, check_mask
from ttlib.shapes import Bool, Float, Tensor


def attention_weights(
    q: Float[Tensor, "B H T K"],
    k: Float[Tensor, "B H S K"],
    mask: Bool[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
) -> Float[Tensor, "B H T S"]:
    """How much each query attends to each key: softmax(q kᵀ / √d_k + bias), rows sum to 1.

    Vaswani et al. 2017, §3.2.1, eq. 1, with the mask of `masked_softmax`. The bias says what a distance
    is worth (`ttlib.nn.relative`); like the mask it broadcasts to (B, H, T, S).

    Raises:
        InputError: the shapes do not fit or the mask is not boolean.
    """
    check_shapes(q, k)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, H, T, S)
    if bias is not None:
        check_bias(bias, tuple(scores.shape))
        scores = scores + bias.to(scores.dtype)
    return masked_softmax(scores, mask)


def masked_softmax(scores: Float[Tensor, "..."], mask: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "..."]:
    """Shares of the last axis. A masked score is set to −∞ *before* the softmax, so that the others still sum to 1.

    A row with nothing to attend to is all zeros.

    Raises:
        InputError: the mask is not boolean or does not fit.
    """
    if mask is None:
        return scores.softmax(-1)
    check_mask(mask, tuple(scores.shape))
    # The lowest finite number does what −∞ does, but leaves no NaN in a row with nothing to attend to.
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)
    return weights.masked_fill(~mask, 0.0)


def attention(
    q: Float[Tensor, "B H T K"],
    k: Float[Tensor, "B H S K"],
    v: Float[Tensor, "B H S Kv"],
    mask: Bool[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "B H T Kv"], Float[Tensor, "B H T S"]]:
    """Attention written out: each output is a weighted mean of the values. Returns (output, weights).

    Vaswani et al. 2017, §3.2.1, eq. 1.

    Raises:
        InputError: the shapes do not fit or the mask is not boolean.
    """
    check_shapes(q, k, v)
    weights = attention_weights(q, k, mask, bias)
    return weights @ v, weights


def fused_attention(
    q: Float[Tensor, "B H T K"],
    k: Float[Tensor, "B H S K"],
    v: Float[Tensor, "B H S Kv"],
    mask: Bool[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
) -> Float[Tensor, "B H T Kv"]:
    """The same output by torch's fused kernel, which never stores the (T, S) weights.

    Raises:
        InputError: the shapes do not fit or the mask is not boolean.
    """
    check_shapes(q, k, v)
    if mask is not None:
        check_mask(mask, (*q.shape[:-1], k.size(-2)))
        mask = torch.atleast_2d(mask)  # torch's kernel refuses a mask of one axis
    if bias is not None:
        check_bias(bias, (*q.shape[:-1], k.size(-2)))
        bias = torch.atleast_2d(bias.to(q.dtype))
        mask = bias if mask is None else torch.where(mask, bias, -math.inf)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def fast_attention(
    q: Float[Tensor, "B H T K"],
    k: Float[Tensor, "B H S K"],
    v: Float[Tensor, "B H S Kv"],
    mask: Bool[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
) -> Float[Tensor, "B H T Kv"]:
    """The same output by whichever of the two is quicker here.

    That is the fused kernel, but for one case: its backward pass in bfloat16 on a CPU takes six times as
    long as the formula's (``benchmarks/attention.py``; torch 2.13).
    """
    if q.requires_grad and q.dtype == torch.bfloat16 and q.device.type == "cpu":
        return attention(q, k, v, mask, bias)[0]
    return fused_attention(q, k, v, mask, bias)


def check_shapes(q: Tensor, k: Tensor, v: Tensor | None = None) -> None:
    """Refuse queries, keys and values that do not belong together."""
    require(q.size(-1) == k.size(-1), "k", tuple(k.shape), f"the queries' last dimension, {q.size(-1)}")
    if v is not None and k.size(-2) != v.size(-2):  # writing a size down fixes it in a compiled graph
        require(False, "v", tuple(v.shape), f"one value per key, {k.size(-2)} of them")


def check_bias(bias: Tensor, scores_shape: tuple[int, ...]) -> None:
    """Refuse a bias that cannot be added to the scores.

    Raises:
        InputError: with the dtype or the two shapes.
    """
    require(bias.is_floating_point(), "bias", bias.dtype, "a floating-point dtype; a mask is another argument")
    fits = broadcasts_to(tuple(bias.shape), scores_shape)
    require(fits, "bias", tuple(bias.shape), f"a shape that broadcasts to (B, H, T, S) = {scores_shape}")
