"""What is minimised: the right tokens are scored, and the one loop trains any model."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.ttlib.tiny_training import without_speed
from ttlib.data.windows import GIVEN, TextBatch, Windows
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.runtime import seed_everything
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer
from ttlib.train.objective import LanguageModelLoss, compile_parts

MODEL = GPTConfig(vocab_size=20, d_model=32, n_heads=4, d_ff=64, n_layers=2, dropout=0.2, max_len=16)
TRAIN = TrainConfig(steps=6, warmup=2, lr=1e-2, smoothing=0.0, dtype="float32", log_every=2, save_every=100)
TEXT = torch.randint(20, (300,), generator=torch.Generator().manual_seed(5))


def loud_model(dropout: float = 0.0) -> GPT:
    model = GPT(dataclasses.replace(MODEL, dropout=dropout))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.3)
    return model


def batch() -> TextBatch:
    ids = TEXT[:33].view(3, 11)
    targets = ids[:, 1:].clone()
    targets[0, :4] = GIVEN
    targets[2, 7:] = GIVEN
    return TextBatch(ids[:, :-1], targets)


def plain_loss(model: GPT, part: TextBatch, smoothing: float = 0.0) -> torch.Tensor:
    """Straight from the definition: every logit, PyTorch's loss, its own way to leave targets out."""
    return F.cross_entropy(
        model(part.ids).flatten(0, 1),
        part.targets.flatten(),
        ignore_index=GIVEN,
        label_smoothing=smoothing,
        reduction="sum",
    )


def gradients(model: GPT) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_language_model_loss_equals_pytorchs(smoothing: float) -> None:
    model = loud_model().double()
    ours, theirs = LanguageModelLoss(model, smoothing, "float32")(batch()), plain_loss(model, batch(), smoothing)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    ours.backward()
    one = gradients(model)
    theirs.backward()
    two = gradients(model)
    assert one.keys() == two.keys() == dict(model.named_parameters()).keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mutant", ["a given position scored", "shifted", "mean", "smoothed"])
def test_language_model_loss_mutants_differ(mutant: str) -> None:
    model, part = loud_model().double(), batch()
    theirs = plain_loss(model, part)
    if mutant == "a given position scored":
        targets = part.targets.clone()
        targets[0, 3] = TEXT[4]
        ours = LanguageModelLoss(model, 0.0, "float32")(TextBatch(part.ids, targets))
    elif mutant == "shifted":
        ours = LanguageModelLoss(model, 0.0, "float32")(TextBatch(part.ids, part.targets.roll(1, 1)))
    elif mutant == "mean":
        ours = LanguageModelLoss(model, 0.0, "float32")(part) / (part.targets != GIVEN).sum()
    else:
        ours = LanguageModelLoss(model, 0.1, "float32")(part)
    assert (ours - theirs).abs() > 0.1


def test_bfloat16_is_near() -> None:
    model = loud_model()
    low = LanguageModelLoss(model, 0.0, "bfloat16")(batch())
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, plain_loss(model, batch()), rtol=3e-2, atol=0)


def make_trainer(train: TrainConfig = TRAIN) -> Trainer:
    seed_everything(train.seed)
    return Trainer(GPT(MODEL), Windows(TEXT, 8, 4, train.seed), train, objective=LanguageModelLoss)


def test_a_language_model_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole = make_trainer()
    whole.run(show=False)
    make_trainer().run(tmp_path / "c", show=False, until=4)
    seed_everything(99)
    second = Trainer(GPT(MODEL), Windows(TEXT, 8, 4), TRAIN, objective=LanguageModelLoss)
    second.resume(tmp_path / "c")
    second.run(show=False)
    assert without_speed(whole) == without_speed(second)
    for (name, p), (_, q) in zip(whole.model.named_parameters(), second.model.named_parameters(), strict=True):
        assert torch.equal(p, q), name


def test_it_learns_a_text_that_repeats_itself() -> None:
    train = dataclasses.replace(TRAIN, steps=60)
    text = torch.arange(7).repeat(30)
    seed_everything(0)
    model = GPT(dataclasses.replace(MODEL, dropout=0.0))
    history = Trainer(model, Windows(text, 14, 4), train, objective=LanguageModelLoss).run(show=False)
    assert history[0]["loss"] > 1
    assert history[-1]["loss"] < 0.2


class Classifier(nn.Module):
    """Not a language model at all."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.linear = MODEL, nn.Linear(3, 2)


class ClassifierLoss(nn.Module):
    """Any module that takes a batch: here a matrix of features, whose first column says which class it is."""

    def __init__(self, model: Classifier, smoothing: float, dtype: str) -> None:
        super().__init__()
        self.model, self.smoothing = model, smoothing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.model.linear(x), (x[:, 0] > 0).long(), reduction="sum")


class Features:
    """Batches of numbers."""

    def epoch(self, number: int, start: int = 0):
        for i in range(start, 5):
            x = torch.randn(6, 3, generator=torch.Generator().manual_seed(10 * number + i))
            yield x, len(x)


def test_the_loop_trains_what_is_no_language_model(tmp_path: Path) -> None:
    trainer = Trainer(Classifier(), Features(), dataclasses.replace(TRAIN, steps=80, lr=5e-2), objective=ClassifierLoss)
    history = trainer.run(tmp_path / "c", show=False)
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert (tmp_path / "c" / "model.safetensors").is_file()


def test_each_part_and_each_block_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, dynamic: compiled.append(self))
    model = GPT(MODEL)
    compile_parts(model)
    assert [module for module in compiled if module in list(model.blocks)] == list(model.blocks)
    assert {module for module in model.children() if module is not model.blocks} <= set(compiled)
    assert model.blocks not in compiled
