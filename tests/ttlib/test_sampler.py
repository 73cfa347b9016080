"""Each way to choose a token: against transformers', against the definition, and by counting what is drawn."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import TopKLogitsWarper, TopPLogitsWarper

from ttlib.errors import InputError
from ttlib.generate.sample import Sampler, greedy_choice, keep_top_k, keep_top_p


def random_logits(seed: int, rows: int = 3, n: int = 12) -> torch.Tensor:
    return 2 * torch.randn(rows, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seed=st.integers(0, 999), k=st.integers(1, 15))
def test_top_k_equals_transformers(seed: int, k: int) -> None:
    logits = random_logits(seed)
    found = keep_top_k(logits, k)
    assert torch.equal(found, TopKLogitsWarper(k)(None, logits))
    assert (found > -torch.inf).sum(-1).tolist() == [min(k, 12)] * 3


@given(seed=st.integers(0, 999), p=st.floats(0.001, 1.0))
def test_top_p_equals_transformers(seed: int, p: float) -> None:
    logits = random_logits(seed)
    assert torch.equal(keep_top_p(logits, p), TopPLogitsWarper(p)(None, logits))


@pytest.mark.parametrize("wrong", [lambda x: keep_top_k(x, 4), lambda x: keep_top_p(x, 0.5), lambda x: x, lambda x: -x])
def test_top_mutants_differ(wrong: object) -> None:
    logits = random_logits(0)
    assert not torch.equal(wrong(logits), TopKLogitsWarper(3)(None, logits))
    assert not torch.equal(wrong(logits), TopPLogitsWarper(0.8)(None, logits))


def test_the_nucleus_by_hand() -> None:
    """Probabilities 0.5, 0.3, 0.15 and 0.05, out of order."""
    logits = torch.tensor([[0.15, 0.5, 0.05, 0.3]], dtype=torch.float64).log()
    for p, kept in ((0.01, [1]), (0.49, [1]), (0.51, [1, 3]), (0.79, [1, 3]), (0.81, [0, 1, 3]), (0.96, [0, 1, 2, 3])):
        assert (keep_top_p(logits, p)[0] > -torch.inf).nonzero()[:, 0].tolist() == kept
    assert keep_top_p(logits, 1.0) is logits
    before = logits.clone()
    keep_top_p(logits, 0.5), keep_top_k(logits, 2)
    assert torch.equal(logits, before)


@given(seed=st.integers(0, 99), temperature=st.floats(0.1, 10), k=st.integers(1, 12), p=st.floats(0.1, 1))
def test_probabilities_are_temperature_then_k_then_p(seed: int, temperature: float, k: int, p: float) -> None:
    logits = random_logits(seed)
    weights = [[w.item() for w in row] for row in (logits / temperature).exp()]
    found = Sampler(temperature, k, p).probabilities(logits)
    for row, given_weights in zip(found.tolist(), weights, strict=True):
        best = sorted(range(12), key=lambda i: -given_weights[i])[:k]
        total, kept, so_far = sum(given_weights[i] for i in best), [], 0.0
        for i in best:
            if so_far < p or not kept:
                kept.append(i)
            so_far += given_weights[i] / total
        rest = sum(given_weights[i] for i in kept)
        assert row == pytest.approx([given_weights[i] / rest if i in kept else 0.0 for i in range(12)])


def test_all_tokens_and_the_whole_nucleus_is_plain_sampling() -> None:
    logits = random_logits(1)
    torch.testing.assert_close(Sampler(1.0, 12, 1.0).probabilities(logits), logits.softmax(-1), rtol=0, atol=0)


@pytest.mark.parametrize("settings", [{}, {"temperature": 2.0}, {"top_k": 4}, {"top_p": 0.7}])
def test_tokens_are_drawn_by_their_probabilities(settings: dict[str, float]) -> None:
    """Chi-squared of 20,000 draws: below the 99.9 % point; a wrong distribution is far above."""
    logits = random_logits(3, 1, 10)
    sampler = Sampler(**settings, generator=torch.Generator().manual_seed(0))
    n = 20_000
    drawn = torch.cat([sampler(logits.expand(100, -1), range(100)) for _ in range(n // 100)])
    counts = torch.bincount(drawn, minlength=10).double()
    expected = n * sampler.probabilities(logits)[0]
    assert counts[expected == 0].sum() == 0
    used = expected > 0

    def chi_squared(expected: torch.Tensor) -> float:
        return ((counts - expected)[used].square() / expected[used]).sum().item()

    assert chi_squared(expected) < 27.9  # nine degrees of freedom
    assert chi_squared(n * (logits[0] / 1.3).softmax(-1)) > 100


def test_the_ends_of_the_line() -> None:
    sampler = Sampler()
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])
    for number, token in ((0.0, 1), (0.4999999, 1), (0.5, 3), (1 - 2**-53, 3)):
        sampler.uniform = lambda row, number=number: number
        assert sampler(logits, [0]).tolist() == [token]


def test_greedy_choice() -> None:
    assert greedy_choice(torch.tensor([[1.0, 3.0, 2.0], [0.0, -1.0, 5.0]]), [0, 1]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"temperature": 0.0},
            "temperature: got 0.0, need a positive number; for the likeliest token every time choose by",
        ),
        ({"temperature": -1.0}, "temperature: got -1.0, need a positive number"),
        ({"top_k": 0}, "top_k: got 0, need a positive number of tokens to choose from, or None"),
        ({"top_p": 0.0}, "top_p: got 0.0, need a share of the probability, above 0 and at most 1"),
        ({"top_p": 1.5}, "top_p: got 1.5, need a share of the probability, above 0 and at most 1"),
    ],
)
def test_settings_that_leave_nothing(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Sampler(**settings)
    assert str(caught.value).startswith(message)
    for name, keep in (("top_k", keep_top_k), ("top_p", keep_top_p)):
        if name in settings:
            with pytest.raises(InputError, match=f"{name}: got"):
                keep(random_logits(0), settings[name])
