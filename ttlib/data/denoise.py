"""Other things to learn from plain text: restore what was removed, or go on after a prefix that is seen whole.

Pure functions of ids and a generator; no model. Span corruption is T5's task (Raffel et al. 2019, §3.1.4), the
prefix LM stands in its §3.2, text infilling, deletion and permutation are BART's (Lewis et al. 2019, §2.2); UL2
mixes span corruptions of several lengths with prefix LMs (Tay et al. 2022, §3.1).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch

from ttlib.errors import require
from ttlib.shapes import Bool, Int, Tensor

Item = TypeVar("Item")
Rng = torch.Generator | None


class Example(NamedTuple):
    """What an encoder–decoder reads and what it has to write."""

    source: list[int]
    target: list[int]


class PrefixBatch(NamedTuple):
    """Rows for a prefix LM: ``lengths`` makes the mask, ``scored`` says which targets count."""

    inputs: Int[Tensor, "B T"]
    targets: Int[Tensor, "B T"]
    lengths: Int[Tensor, " B"]
    scored: Bool[Tensor, "B T"]


def cut_into(total: int, parts: int, generator: Rng = None) -> list[int]:
    """``parts`` lengths of at least 1 that add up to ``total``; all ways of cutting are equally likely.

    Raises:
        InputError: there is not at least one for each part.
    """
    require(1 <= parts <= total, "parts", parts, f"1 to total={total}")
    borders = torch.randperm(total - 1, generator=generator)[: parts - 1] + 1
    ends = [0, *sorted(borders.tolist()), total]
    return [b - a for a, b in pairwise(ends)]


def span_mask(n: int, rate: float = 0.15, mean_span: float = 3.0, generator: Rng = None) -> Bool[Tensor, " N"]:
    """Which of ``n`` tokens to remove: round(n · rate) of them, in spans of ``mean_span`` on average.

    The number of removed tokens and of spans is exact, and all masks with these numbers are equally likely; two
    spans never touch. T5's own rule (Raffel et al. 2019, §3.1.4; ``random_spans_noise_mask`` of its code) differs at
    the ends only: it begins with a token that stays and ends with one that goes.

    Raises:
        InputError: fewer than two tokens, a rate that is no share, or spans shorter than a token.
    """
    require(n >= 2, "n", n, "at least 2 tokens: one to remove and one to keep")
    require(0 < rate < 1, "rate", rate, "a share between 0 and 1")
    require(mean_span >= 1, "mean_span", mean_span, "at least 1 token")
    removed = min(max(round(n * rate), 1), n - 1)
    spans = min(max(round(removed / mean_span), 1), n - removed + 1)
    kept = cut_into(n - removed + 2, spans + 1, generator)  # first and last part one too long: they may be empty
    lengths = torch.empty(2 * spans + 1, dtype=torch.long)  # kept, removed, kept … removed, kept
    lengths[0::2] = torch.tensor([kept[0] - 1, *kept[1:-1], kept[-1] - 1])
    lengths[1::2] = torch.tensor(cut_into(removed, spans, generator))
    return (torch.arange(2 * spans + 1) % 2 == 1).repeat_interleave(lengths)


def corrupt_spans(ids: Sequence[int], removed: Bool[Tensor, " N"], sentinels: Sequence[int]) -> Example:
    """T5's pair: the text with a sentinel for each removed span, and the spans, each behind its sentinel.

    ``Thank you <X> me to your party <Y> week .`` and ``<X> for inviting <Y> last <Z>`` (Raffel et al. 2019, figure 2).
    The last sentinel ends the target.

    Raises:
        InputError: there is not one mark per token, too few sentinels, or a sentinel stands in the text.
    """
    require(len(removed) == len(ids), "removed", len(removed), f"one mark per token ({len(ids)})")
    marks = removed.tolist()
    spans = sum(now and not before for before, now in zip([False, *marks], marks, strict=False))
    require(len(sentinels) > spans, "sentinels", len(sentinels), f"at least {spans + 1}: one per span and one more")
    require(not set(sentinels) & set(ids), "sentinels", sorted(set(sentinels) & set(ids)), "ids that no text has")
    source: list[int] = []
    target: list[int] = []
    used = 0
    for i, (token, gone) in enumerate(zip(ids, marks, strict=True)):
        if gone and (i == 0 or not marks[i - 1]):
            source.append(sentinels[used])
            target.append(sentinels[used])
            used += 1
        (target if gone else source).append(token)
    return Example(source, [*target, sentinels[used]])


def fill_spans(example: Example, sentinels: Sequence[int]) -> list[int]:
    """The text again: every sentinel of the source replaced by what stands behind it in the target.

    Raises:
        InputError: the target has no entry for one of the source's sentinels.
    """
    spans: dict[int, list[int]] = {}
    marks, current = set(sentinels), -1
    for token in example.target:
        if token in marks:
            current = token
            spans[current] = []
        else:
            require(current != -1, "target", token, "a sentinel at its beginning")
            spans[current].append(token)
    text: list[int] = []
    for token in example.source:
        require(token not in marks or token in spans, "target", example.target, f"an entry for the sentinel {token}")
        text += spans[token] if token in marks else [token]
    return text


def prefix_batch(rows: Int[Tensor, "B N"], generator: Rng = None) -> PrefixBatch:
    """Cut every row into a prefix, which is only read, and a rest, which is predicted token by token.

    The prefix has 1 to N − 1 tokens, all equally likely. Targets are shifted by one as always; the first scored one
    is the first token behind the prefix. Use `ttlib.nn.masks.prefix` with ``lengths``.

    Raises:
        InputError: a row has fewer than two tokens.
    """
    n = rows.size(1)
    require(n >= 2, "rows", tuple(rows.shape), "at least 2 tokens in a row")
    lengths = torch.randint(1, n, (rows.size(0),), generator=generator)
    scored = torch.arange(1, n) >= lengths[:, None]  # target t is token t + 1 of the row
    return PrefixBatch(rows[:, :-1], rows[:, 1:], lengths, scored)


def infill(
    ids: Sequence[int], mask_id: int, rate: float = 0.3, mean_span: float = 3.0, generator: Rng = None
) -> list[int]:
    """BART's text infilling: spans of Poisson length, each replaced by **one** mask, so that lengths must be guessed.

    A span may be empty: then a mask stands where nothing is missing. In all, round(n · rate) tokens go, and two masks
    never touch (Lewis et al. 2019, §2.2).

    Raises:
        InputError: the rate is no share, or the mean is not positive.
    """
    require(0 <= rate < 1, "rate", rate, "a share below 1")
    require(mean_span > 0, "mean_span", mean_span, "a positive number of tokens")
    removed = round(len(ids) * rate)
    lengths: list[int] = []
    room = len(ids) - removed + 1  # places between and around the tokens that stay
    while sum(lengths) < removed and len(lengths) < room:
        drawn = int(torch.poisson(torch.tensor(float(mean_span)), generator=generator))
        lengths.append(min(drawn, removed - sum(lengths)))
    if lengths:
        lengths[-1] += removed - sum(lengths)  # no place for one more span: the last takes the rest
    places = sorted(torch.randperm(room, generator=generator)[: len(lengths)].tolist())
    noisy: list[int] = []
    taken = kept = 0
    for place, length in zip(places, lengths, strict=True):  # ``place`` tokens stay before this span
        noisy += [*ids[taken : taken + place - kept], mask_id]
        taken, kept = taken + place - kept + length, place
    return [*noisy, *ids[taken:]]


def delete(ids: Sequence[int], rate: float = 0.15, generator: Rng = None) -> list[int]:
    """BART's token deletion: round(n · rate) tokens vanish without a mark; where is for the model to find out.

    Raises:
        InputError: the rate is no share.
    """
    require(0 <= rate < 1, "rate", rate, "a share below 1")
    order = torch.randperm(len(ids), generator=generator)
    return [ids[i] for i in sorted(order[round(len(ids) * rate) :].tolist())]


def permute(sentences: Sequence[Item], generator: Rng = None) -> list[Item]:
    """BART's sentence permutation: the same sentences in a random order."""
    return [sentences[i] for i in torch.randperm(len(sentences), generator=generator).tolist()]
