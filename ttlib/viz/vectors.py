"""A map of words: many-dimensional vectors as points on paper."""

from collections.abc import Sequence

import torch

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.style import COLOURS, MARKERS, WIDTH, Picture, canvas


def principal_plane(vectors: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "N 2"], float]:
    """The vectors in the two directions in which they differ most, and the share of their variance that this keeps.

    Principal components: the first two right singular vectors of the centred matrix.

    Raises:
        InputError: fewer than three vectors, or fewer than two numbers in each.
    """
    require(len(vectors) >= 3 and vectors.shape[1] >= 2, "vectors", tuple(vectors.shape), "at least 3 of 2 numbers")
    centred = vectors.detach().double().cpu() - vectors.detach().double().cpu().mean(0)
    _, s, directions = torch.linalg.svd(centred, full_matrices=False)
    share = float(s[:2].square().sum() / s.square().sum().clamp(min=1e-300))
    return (centred @ directions[:2].T).to(vectors.dtype), share


def word_map(
    words: Sequence[str],
    points: Float[Tensor, "N 2"],
    *,
    groups: Sequence[Sequence[str]] = (),
    arrows: Sequence[tuple[str, str]] = (),
    title: str = "",
) -> Picture:
    """Words at their points. ``groups`` share a mark and a colour, ``arrows`` lead from one word to another.

    Raises:
        InputError: not as many points as words, more than four groups, or an arrow or group with an unknown word.
    """
    require(len(words) == len(points), "points", len(points), f"one per word ({len(words)})")
    require(len(groups) <= len(COLOURS), "groups", len(groups), f"at most {len(COLOURS)}")
    place = dict(zip(words, points.tolist(), strict=True))
    for word in [*(w for group in groups for w in group), *(w for pair in arrows for w in pair)]:
        require(word in place, "word", word, "one of the words that have a point")
    group_of = {word: i for i, group in enumerate(groups) for word in group}
    with canvas(WIDTH + 1.2, 4.4) as (figure, ax):
        ink = ax.xaxis.label.get_color()
        for a, b in arrows:
            style = {"arrowstyle": "->", "color": ink, "alpha": 0.6, "shrinkA": 4, "shrinkB": 4}
            ax.annotate("", place[b], place[a], arrowprops=style)
        for word, (x, y) in place.items():
            i = group_of.get(word, 0)
            ax.plot(x, y, MARKERS[i], color=COLOURS[i], markersize=5)
            ax.annotate(word, (x, y), (4, 4), textcoords="offset points", fontsize=9)
        ax.margins(0.12)
        ax.set(xticks=[], yticks=[], title=title)
        return Picture(figure, _told(place, groups, arrows, title))


def _told(
    place: dict[str, list[float]],
    groups: Sequence[Sequence[str]],
    arrows: Sequence[tuple[str, str]],
    title: str,
) -> str:
    """The map in words: who stands where, from left to right."""
    order = sorted(place, key=lambda word: place[word][0])
    text = f"{title or 'Map'}: {len(place)} words, from left to right {', '.join(order)}."
    if groups:
        text += " Groups: " + "; ".join(", ".join(group) for group in groups) + "."
    return text + (" Arrows: " + ", ".join(f"{a} to {b}" for a, b in arrows) + "." if arrows else "")
