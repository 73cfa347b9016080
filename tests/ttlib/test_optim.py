"""AdamW's groups and the moving average of the weights."""

import pytest
import torch
from torch import nn

from tests.ttlib.tiny_training import MODEL
from ttlib.models.seq2seq import Seq2Seq
from ttlib.train.config import TrainConfig
from ttlib.train.optim import MovingAverage, adamw


def test_every_parameter_is_in_one_group_and_vectors_do_not_decay() -> None:
    model = Seq2Seq(MODEL)
    matrices, vectors = adamw(model, TrainConfig(weight_decay=0.3)).param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.3, 0.0)
    assert {p.dim() for p in matrices["params"]} == {2}
    assert {p.dim() for p in vectors["params"]} == {1}
    grouped = [id(p) for group in (matrices, vectors) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


def test_decay_alone_shrinks_matrices_only() -> None:
    layer = nn.Linear(3, 2)
    nn.init.ones_(layer.bias)
    before = layer.weight.detach().clone()
    optimiser = adamw(layer, TrainConfig(weight_decay=0.5, lr=0.1))
    for p in layer.parameters():
        p.grad = torch.zeros_like(p)
    optimiser.step()
    torch.testing.assert_close(layer.weight.detach(), before * (1 - 0.1 * 0.5))
    assert torch.equal(layer.bias.detach(), torch.ones(2))


def test_frozen_parameters_are_left_out() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad_(False)
    assert [len(group["params"]) for group in adamw(layer, TrainConfig()).param_groups] == [0, 1]


def test_adamw_has_the_papers_betas_and_our_rate() -> None:
    for group in adamw(nn.Linear(2, 2), TrainConfig(lr=0.25)).param_groups:
        assert (group["lr"], group["betas"]) == (0.25, (0.9, 0.98))


def test_moving_average_follows_its_recurrence() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 4.0)
    average, expected = MovingAverage(layer, 0.5), 4.0
    for step in range(20):
        nn.init.constant_(layer.weight, float(step))
        average.update(layer, step)
        decay = min(0.5, (step + 1) / (step + 10))  # at step 8: a half
        expected = decay * expected + (1 - decay) * step
        assert average.values["weight"].item() == pytest.approx(expected, rel=1e-5)


def test_a_young_average_forgets_the_start() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1000.0)
    average = MovingAverage(layer, 0.999)
    nn.init.constant_(layer.weight, 1.0)
    for step in range(20):
        average.update(layer, step)
    assert average.values["weight"].item() == pytest.approx(1.0, abs=0.1)  # a plain one would stand at 980


def test_the_average_is_a_copy() -> None:
    layer = nn.Linear(1, 1)
    average = MovingAverage(layer, 0.9)
    before = average.values["weight"].clone()
    nn.init.constant_(layer.weight, 7.0)
    assert torch.equal(average.values["weight"], before)
    assert not average.values["weight"].requires_grad


def test_loading_keeps_our_order() -> None:
    """`update` walks two lists side by side: a file in another order must not mix the weights up."""
    layer = nn.Linear(2, 2)
    average = MovingAverage(layer, 0.0)
    average.load({"bias": torch.ones(2), "weight": torch.zeros(2, 2)})
    assert list(average.values) == ["weight", "bias"]
    average.update(layer, 100)
    assert torch.equal(average.values["bias"], layer.bias.detach())
