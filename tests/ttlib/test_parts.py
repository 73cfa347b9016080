"""Small parts against closed forms: loss, schedule, dropout, positions, average, scores, checks, progress."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ttlib import runtime
from ttlib.check import expect, same_output
from ttlib.errors import InputError
from ttlib.generate.score import score
from ttlib.models.count import count_parameters, parameters_by_kind
from ttlib.nn.dropout import Dropout
from ttlib.nn.feedforward import FeedForward
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import layer_norm
from ttlib.nn.positions import LearnedPositions, SinusoidalPositions, sinusoids
from ttlib.train.config import TrainConfig
from ttlib.train.loss import cross_entropy, linear_cross_entropy
from ttlib.train.optim import MovingAverage, adamw
from ttlib.train.precision import autocast, faster_dtype
from ttlib.train.progress import Progress, clock
from ttlib.train.schedule import learning_rate


def loss_inputs(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    states, weight = torch.randn(n, 8, dtype=torch.float64), torch.randn(11, 8, dtype=torch.float64)
    return states.requires_grad_(), weight.requires_grad_(), torch.randint(11, (n,))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("n", [1, 7, 1024, 1025, 2500])
def test_loss_equals_torch(n: int, smoothing: float) -> None:
    states, weight, targets = loss_inputs(n)
    a = linear_cross_entropy(states, weight, targets, smoothing)
    b = F.cross_entropy(states @ weight.T, targets, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(cross_entropy(states @ weight.T, targets, smoothing), b)
    for x, y in zip(
        torch.autograd.grad(3 * a, [states, weight]), torch.autograd.grad(3 * b, [states, weight]), strict=True
    ):
        torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-9)


def test_loss_mutants_differ() -> None:
    states, weight, targets = loss_inputs(7)
    right = linear_cross_entropy(states, weight, targets, 0.1)
    for wrong in (
        linear_cross_entropy(states, weight, targets, 0.0),
        linear_cross_entropy(states, weight, (targets + 1) % 11, 0.1),
        linear_cross_entropy(states, 1.1 * weight, targets, 0.1),
    ):
        assert (wrong - right).abs() > 1e-3


def test_loss_gradients() -> None:
    states, weight, targets = loss_inputs(5)
    assert torch.autograd.gradcheck(lambda s, w: linear_cross_entropy(s, w, targets, 0.1), (states, weight))
    x, a, b = (torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((2, 6), (6,), (6,)))
    assert torch.autograd.gradcheck(layer_norm, (x, a, b))


def test_an_empty_part_of_a_batch_costs_nothing() -> None:
    states, weight, targets = loss_inputs(0)
    loss = linear_cross_entropy(states, weight, targets, 0.1)
    assert loss == 0
    assert (torch.autograd.grad(loss, weight)[0] == 0).all()


def test_schedules() -> None:
    cosine = TrainConfig(steps=110, warmup=10, lr=1.0)
    assert [learning_rate(s, cosine) for s in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert learning_rate(60, cosine) == pytest.approx(0.02 + 0.98 / 2)
    assert learning_rate(110, cosine) == pytest.approx(0.02)
    root = TrainConfig(steps=1000, warmup=10, lr=1.0, schedule="inverse_sqrt")
    assert learning_rate(39, root) == pytest.approx(math.sqrt(10 / 40))
    assert learning_rate(0, TrainConfig(warmup=0, lr=0.5)) == pytest.approx(0.5)


def test_dropout() -> None:
    layer, x = Dropout(0.3), torch.ones(400, 501)
    torch.manual_seed(5)
    a = layer(x)
    torch.manual_seed(5)
    assert torch.equal(a, layer(x))
    assert not torch.equal(a, layer(x))
    kept = (a != 0).float().mean()
    assert kept.item() == pytest.approx(0.7, abs=0.005)
    assert torch.allclose(a[a != 0], torch.tensor(1 / 0.7), atol=1e-3)
    assert ((a != 0).float().mean(0) > 0.5).all()  # no column is favoured
    assert torch.equal(layer.eval()(x), x)
    grad = torch.autograd.grad(layer.train()(x.requires_grad_()).sum(), x)[0]
    assert set(grad.unique().tolist()) == {0.0, a.max().item()}


def test_sinusoids() -> None:
    table = sinusoids(50, 8).double()
    assert table[3, 2].item() == pytest.approx(math.sin(3 / 10000 ** (2 / 8)))
    assert table[3, 5].item() == pytest.approx(math.cos(3 / 10000 ** (4 / 8)))
    near, far = table[10] @ table[14], table[30] @ table[34]
    assert near.item() == pytest.approx(far.item(), abs=1e-5)  # depends on the distance alone
    angle = 5 / 10000 ** (2 / 8)  # a shift by 5 turns each pair by an angle of its own
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    torch.testing.assert_close(table[7:20, 2:4] @ turn.T, table[12:25, 2:4], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [SinusoidalPositions, LearnedPositions])
def test_positions_start_where_they_are_told(kind: type[nn.Module]) -> None:
    layer, x = kind(9, 8), torch.randn(2, 4, 8)
    torch.testing.assert_close(layer(x, 5) - x, layer.table[5:9].expand(2, -1, -1), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(layer(x, 5), layer(x))


def test_feed_forward_is_for_each_position_alone() -> None:
    layer, x = FeedForward(8, 32), torch.randn(2, 5, 8)
    order = torch.randperm(5)
    torch.testing.assert_close(layer(x)[:, order], layer(x[:, order]))
    by_hand = (x @ layer.w_1.weight.T + layer.w_1.bias).clamp(min=0) @ layer.w_2.weight.T + layer.w_2.bias
    torch.testing.assert_close(layer(x), by_hand)


def test_moving_average() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(0.0)
    average = MovingAverage(layer, 0.9)
    layer.weight.data.fill_(1.0)
    average.update(layer, 1000)
    assert average.values["weight"].item() == pytest.approx(0.1)
    average.update(layer, 0)  # young: decay 1/10
    assert average.values["weight"].item() == pytest.approx(0.91)


def test_decay_is_for_matrices_alone() -> None:
    groups = adamw(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)), TrainConfig(weight_decay=0.5)).param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(1, 0.5), (3, 0.0)]


def test_precision() -> None:
    device = torch.device("cpu")
    assert faster_dtype(device) in ("float32", "bfloat16")
    a = torch.randn(4, 4)
    with autocast(device, "bfloat16"):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(device, "float32"):
        assert (a @ a).dtype == torch.float32


def test_progress_leaves_one_plain_line_in_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "ipykernel", raising=False)
    for enabled in (True, False):
        with Progress("training", 3, every=0.0, enabled=enabled) as progress:
            for step in range(1, 4):
                progress.update(step, f"loss {step}")
    assert capsys.readouterr().out == "training: 3/3, 0:00, loss 3\n"
    assert [clock(s) for s in (5.0, 65.0, 3661.0)] == ["0:05", "1:05", "1:01:01"]


def test_scores_are_sacrebleus() -> None:
    import sacrebleu

    references = ["the cat sat on the mat today", "there is a dog in the garden"]
    hypotheses = ["the cat sat on a mat today", "there is a dog in the house"]
    bleu, chrf = score(hypotheses, references, n_bootstrap=50)
    assert bleu.value == sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert chrf.value == sacrebleu.corpus_chrf(hypotheses, [references]).score
    assert bleu.low < bleu.high
    assert "tok:13a" in bleu.signature
    with pytest.raises(InputError, match="hypotheses: got 1, need as many as references, 2"):
        score(hypotheses[:1], references)


def test_a_score_of_zero_in_some_resamples_has_an_interval() -> None:
    references = ["the cat sat on the mat"] * 3
    bleu, chrf = score(["the cat sat on the mat", "", ""], references, n_bootstrap=100)
    assert bleu.low < bleu.value < bleu.high
    assert chrf.low < chrf.value < chrf.high


def test_counts() -> None:
    layer = MultiHeadAttention(32, 4)
    assert count_parameters(layer) == 4 * (32 * 32 + 32)
    assert parameters_by_kind(layer) == {"Linear": 4 * (32 * 32 + 32)}


class Plain(nn.Module):
    """Feed-forward with the library's names."""

    def __init__(self, activation: str = "relu") -> None:
        super().__init__()
        self.w_1, self.w_2 = nn.Linear(8, 16), nn.Linear(16, 8)
        self.activation = getattr(F, activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w_2(self.activation(self.w_1(x)))


def test_same_output() -> None:
    ours, x = Plain(), torch.randn(2, 3, 8)
    before = copy.deepcopy(ours.state_dict())
    assert same_output(ours, FeedForward(8, 16), (x,)) <= 1e-10
    assert all(torch.equal(before[k], v) for k, v in ours.state_dict().items())
    with pytest.raises(InputError, match="outputs: differ by"):
        same_output(Plain("gelu"), FeedForward(8, 16), (x,))
    with pytest.raises(InputError, match="state_dict: ours does not load into FeedForward"):
        same_output(ours, FeedForward(8, 20), (x,))


def test_expect(capsys: pytest.CaptureFixture[str]) -> None:
    expect("loss", 1.95, (2.0, 0.1))
    expect("loss", 1.95, None)
    assert capsys.readouterr().out.count("loss: 1.95") == 2
    with pytest.raises(AssertionError, match=r"loss: 2.2, expected 2 ± 0.1"):
        expect("loss", 2.2, (2.0, 0.1))


def test_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.preset() == "ci"
    assert runtime.choose(ci=1, cpu=2, gpu=3) == 1
    monkeypatch.setenv("TTLIB_PRESET", "gpu")
    assert runtime.choose(ci=1, cpu=2, gpu=3) == 3
    assert {"preset", "hardware", "python", "torch", "ttlib"} == set(runtime.describe())
    layer = nn.Dropout(0.5)
    with runtime.eval_mode(layer):
        assert not layer.training
        assert torch.is_inference_mode_enabled()
    assert layer.training
