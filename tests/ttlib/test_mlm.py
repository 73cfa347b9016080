"""Masking: what may be selected, how often, and what becomes of it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ttlib.data.mlm import MaskingRule, mask_tokens
from ttlib.errors import InputError
from ttlib.text.wordpiece import MASK_ID, SPECIALS

V = 50


def some_ids(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    """A fifth are special tokens or padding."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(len(SPECIALS), V, (rows, length), generator=generator)
    special = torch.randint(len(SPECIALS), (rows, length), generator=generator)
    return torch.where(torch.rand(rows, length, generator=generator) < 0.2, special, ids)


def masked(ids: torch.Tensor, seed: int = 0, rule: MaskingRule | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    return mask_tokens(ids, V, torch.Generator().manual_seed(seed), rule or MaskingRule())


shares = st.floats(0, 1)


@settings(max_examples=60)
@given(rows=st.integers(1, 4), length=st.integers(1, 30), seed=st.integers(0, 999), share=shares, a=shares, b=shares)
def test_only_ordinary_tokens_are_touched(rows: int, length: int, seed: int, share: float, a: float, b: float) -> None:
    ids = some_ids(rows, length, seed)
    before = ids.clone()
    read, selected = masked(ids, seed, MaskingRule(share=share, as_mask=a, as_random=(1 - a) * b))
    assert torch.equal(ids, before)  # the originals stay
    assert not (selected & (ids < len(SPECIALS))).any()
    assert torch.equal(read[~selected], ids[~selected])
    changed = read[read != ids]
    assert ((changed == MASK_ID) | (changed >= len(SPECIALS))).all()
    assert (read < V).all()


def within(count: float, n: int, p: float) -> bool:
    """Five standard deviations of a binomial: wrong once in two million times."""
    return abs(count - n * p) <= 5 * math.sqrt(n * p * (1 - p)) + 1e-9


@settings(max_examples=15)
@given(
    seed=st.integers(0, 9999), share=st.sampled_from([0.15, 0.4]),
    fates=st.sampled_from([(0.8, 0.1), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5)]),
)  # fmt: skip
def test_rates_are_binomial(seed: int, share: float, fates: tuple[float, float]) -> None:
    ids = torch.randint(len(SPECIALS), V, (200, 200), generator=torch.Generator().manual_seed(seed))
    read, selected = masked(ids, seed, MaskingRule(share=share, as_mask=fates[0], as_random=fates[1]))
    n = int(selected.sum())
    assert within(n, ids.numel(), share)
    assert within(int((read[selected] == MASK_ID).sum()), n, fates[0])
    kept = 1 - sum(fates) + fates[1] / (V - len(SPECIALS))  # a random token may be the same
    assert within(int((read[selected] == ids[selected]).sum()), n, kept)


def test_random_tokens_are_even() -> None:
    ids = torch.full((300, 300), 7)
    read, selected = masked(ids, 1, MaskingRule(share=1.0, as_mask=0.0, as_random=1.0))
    assert selected.all()
    counts = torch.bincount(read.flatten(), minlength=V)
    assert counts[: len(SPECIALS)].sum() == 0
    assert all(within(int(count), 90_000, 1 / (V - len(SPECIALS))) for count in counts[len(SPECIALS) :])


def test_places_are_independent() -> None:
    selected = masked(torch.full((400, 400), 7), 2)[1].double()
    neighbours = (selected[:, 1:] * selected[:, :-1]).mean().item()
    assert abs(neighbours - 0.15**2) < 5 * 0.15 / 400


def test_a_pure_function_of_the_generator() -> None:
    ids = some_ids(5, 40)
    first, again, other = masked(ids, 3), masked(ids, 3), masked(ids, 4)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    generator = torch.Generator().manual_seed(3)  # dynamic: the next call masks anew
    calls = [mask_tokens(ids, V, generator)[1] for _ in range(2)]
    assert torch.equal(calls[0], first[1])
    assert not torch.equal(calls[0], calls[1])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"share": 1.2}, "share: got 1.2, need a share between 0 and 1"),
        ({"as_random": -0.1}, "as_random: got -0.1, need a share between 0 and 1"),
        ({"as_mask": 0.95}, "as_mask + as_random: got 1.05, need at most 1"),
    ],
)
def test_bad_rules(rule: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        MaskingRule(**rule)
    assert str(caught.value) == message
