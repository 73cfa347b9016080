"""The learning rate's closed forms."""

import itertools
import math

import pytest

from ttlib.train.config import TrainConfig
from ttlib.train.schedule import learning_rate

COSINE = TrainConfig(steps=1000, warmup=100, lr=2.0)
SQRT = TrainConfig(steps=1000, warmup=100, lr=2.0, schedule="inverse_sqrt")


@pytest.mark.parametrize("config", [COSINE, SQRT])
def test_warm_up_is_a_line_to_the_peak(config: TrainConfig) -> None:
    assert [learning_rate(step, config) for step in (0, 49, 99)] == pytest.approx([0.02, 1.0, 2.0])
    rates = [learning_rate(step, config) for step in range(1000)]
    assert max(rates) == rates[99] == 2.0
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))


def test_cosine_is_at_half_height_half_way_and_ends_at_a_fiftieth() -> None:
    assert learning_rate(100, COSINE) == pytest.approx(2.0)
    assert learning_rate(550, COSINE) == pytest.approx(2.0 * (0.02 + 0.49))
    assert learning_rate(325, COSINE) == pytest.approx(2.0 * (0.02 + 0.49 * (1 + math.sqrt(0.5))))
    assert learning_rate(1000, COSINE) == pytest.approx(0.04)
    assert learning_rate(10_000, COSINE) == pytest.approx(0.04)  # never up again


def test_where_a_cosine_ends() -> None:
    tenth = TrainConfig(steps=1000, warmup=100, lr=2.0, lr_end=0.1)
    assert learning_rate(550, tenth) == pytest.approx(2.0 * 0.55)
    assert learning_rate(1000, tenth) == pytest.approx(0.2)


def test_inverse_square_root_is_the_papers() -> None:
    """Vaswani et al. 2017, §5.3: d^-0.5 · min(step^-0.5, step · warmup^-1.5), steps from 1, peak scaled to lr."""
    for step in (0, 1, 98, 99, 100, 399, 999):
        n = step + 1
        paper = min(n**-0.5, n * 100**-1.5)
        assert learning_rate(step, SQRT) == pytest.approx(2.0 * paper / 100**-0.5)
    assert learning_rate(399, SQRT) == pytest.approx(1.0)  # four times the steps, half the rate


@pytest.mark.parametrize("schedule", ["cosine", "inverse_sqrt"])
def test_without_warm_up_it_begins_at_the_peak(schedule: str) -> None:
    assert learning_rate(0, TrainConfig(steps=5, warmup=0, lr=2.0, schedule=schedule)) == pytest.approx(2.0)


def test_a_run_shorter_than_its_warm_up() -> None:
    assert learning_rate(3, TrainConfig(steps=4, warmup=8, lr=2.0)) == pytest.approx(1.0)
