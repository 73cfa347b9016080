"""How well vectors tell labels apart: nearest neighbours and the silhouette, both by cosine."""

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from ttlib.errors import require
from ttlib.shapes import Float, Tensor


def cosines(vectors: Float[Tensor, "N D"]) -> Float[Tensor, "N N"]:
    """The cosine of every pair."""
    unit = F.normalize(vectors, dim=-1)
    return unit @ unit.T


def neighbour_accuracy(vectors: Float[Tensor, "N D"], labels: Sequence[str]) -> float:
    """The share of vectors whose nearest other vector has the same label (leave-one-out, one neighbour).

    Ties are shared out: if several are equally near, the share of them with the same label counts.

    Raises:
        InputError: there is not one label per vector, or fewer than two vectors.
    """
    require(len(labels) == len(vectors), "labels", len(labels), f"one per vector ({len(vectors)})")
    require(len(vectors) > 1, "vectors", len(vectors), "at least two")
    near = cosines(vectors).fill_diagonal_(-2.0)
    nearest = near >= near.max(-1, keepdim=True).values - 1e-5  # rounding is no difference
    return float(((nearest & same(labels)).sum(-1) / nearest.sum(-1)).mean())


def silhouette(vectors: Float[Tensor, "N D"], labels: Sequence[str]) -> float:
    """Mean of (b − a) / max(a, b): a is the mean distance (1 − cosine) to one's own label, b to the nearest other.

    From −1 to 1; 0 where labels lie mixed (Rousseeuw 1987, eq. 1). If a = b = 0, it counts as 0.

    Raises:
        InputError: there is not one label per vector, a label occurs only once, or there is only one label.
    """
    require(len(labels) == len(vectors), "labels", len(labels), f"one per vector ({len(vectors)})")
    kinds = sorted(set(labels))
    least = min(labels.count(kind) for kind in kinds) if kinds else 0
    require(len(kinds) > 1 and least > 1, "labels", kinds, "two or more, each at least twice")
    far = (1 - cosines(vectors)).clamp(min=0).fill_diagonal_(0)
    member = torch.tensor([[label == kind for kind in kinds] for label in labels]).to(far)  # (N, kinds)
    sizes = member.sum(0)
    total = far @ member
    own = (total * member).sum(-1) / (member @ sizes - 1)
    other = (total / sizes + member * 10).min(-1).values
    return float(((other - own) / torch.maximum(other, own).clamp(min=1e-5)).mean())


def same(labels: Sequence[str]) -> torch.Tensor:
    """(N, N): do two have the same label? Nobody is compared with itself."""
    pairs = torch.tensor([[a == b for b in labels] for a in labels])
    return pairs.fill_diagonal_(False)
