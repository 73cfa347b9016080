"""The similarity of representations against its definition, the linear map against least squares."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.models.similarity import least_squares_map, linear_cka

N, D = 60, 32


def pair(noise: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(N, D, dtype=torch.float64) + 1
    return x, x @ torch.randn(D, 9, dtype=torch.float64) + noise * torch.randn(N, 9, dtype=torch.float64) - 2


def by_definition(x: torch.Tensor, y: torch.Tensor, centre: bool = True) -> float:
    """HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) with K = X Xᵀ, L = Y Yᵀ (Kornblith et al. 2019, eq. 3)."""
    h = torch.eye(N, dtype=torch.float64) - 1 / N if centre else torch.eye(N, dtype=torch.float64)

    def hsic(k: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.trace(k @ h @ other @ h)

    k, gram = x @ x.T, y @ y.T
    return (hsic(k, gram) / (hsic(k, k) * hsic(gram, gram)).sqrt()).item()


def test_cka_equals_its_definition() -> None:
    x, y = pair()
    assert linear_cka(x, y) == pytest.approx(by_definition(x, y), abs=1e-10)


def test_cka_mutants_differ() -> None:
    x, y = pair()
    assert linear_cka(x, y) != pytest.approx(by_definition(x, y, centre=False), abs=1e-3)
    assert linear_cka(x, y.roll(1, 0)) < linear_cka(x, y) - 0.1


def test_turning_scaling_and_moving_change_nothing() -> None:
    x, y = pair()
    turn = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64)).Q
    assert linear_cka(x, 3 * x @ turn + 5) == pytest.approx(1.0)
    assert linear_cka(x @ turn - 1, y) == pytest.approx(linear_cka(x, y))
    stretched = x * torch.linspace(0.1, 10, D, dtype=torch.float64)  # not a rotation
    assert linear_cka(x, stretched) < 0.9


def test_map_equals_torchs_least_squares() -> None:
    x, y = pair()
    ones = torch.cat([x, torch.ones(N, 1, dtype=torch.float64)], 1)
    expected = torch.linalg.lstsq(ones, y).solution
    found = least_squares_map(x, y)
    torch.testing.assert_close(found.weight, expected[:-1].T, rtol=0, atol=1e-10)
    torch.testing.assert_close(found.bias, expected[-1], rtol=0, atol=1e-10)
    assert not found.weight.requires_grad


def test_map_mutant_differs() -> None:
    """Without a bias, and with rows that do not belong together."""
    x, y = pair()
    found = least_squares_map(x, y).weight
    for weight in (torch.linalg.lstsq(x, y).solution.T, least_squares_map(x, y.roll(1, 0)).weight):
        assert (found - weight).abs().max() > 0.05


def test_ridge_equals_extra_rows() -> None:
    """Ridge is least squares with D further examples √(N · ridge) · I → 0, once the means are gone."""
    x, y = pair()
    a, b = x - x.mean(0), y - y.mean(0)
    extra = (N * 0.5) ** 0.5 * torch.eye(D, dtype=torch.float64)
    expected = torch.linalg.lstsq(
        torch.cat([a, extra]), torch.cat([b, torch.zeros(D, 9, dtype=torch.float64)])
    ).solution
    torch.testing.assert_close(least_squares_map(x, y, 0.5).weight, expected.T, rtol=0, atol=1e-10)


def test_ridge_mutant_differs() -> None:
    x, y = pair()
    assert (least_squares_map(x, y, 0.5).weight - least_squares_map(x, y).weight).abs().max() > 0.01


def test_a_linear_relation_is_found_exactly_even_with_columns_that_depend_on_each_other() -> None:
    x, y = pair(noise=0.0)
    doubled = torch.cat([x, x], 1)
    torch.testing.assert_close(least_squares_map(doubled, y)(doubled), y, rtol=0, atol=1e-8)
    assert least_squares_map(x.float(), y.float()).weight.dtype == torch.float32


def test_wrong_input() -> None:
    x, y = pair()
    with pytest.raises(InputError, match=r"y: got \(59, 9\), need as many rows as x, 60"):
        linear_cka(x, y[:-1])
    with pytest.raises(InputError, match=r"x: got \(1, 32\), need at least two rows"):
        least_squares_map(x[:1], y[:1])
    with pytest.raises(InputError, match="x: got 'constant rows', need rows that differ"):
        linear_cka(torch.ones(5, 3), torch.rand(5, 3))
    with pytest.raises(InputError, match="ridge: got -1.0, need 0 or more"):
        least_squares_map(x, y, -1.0)
