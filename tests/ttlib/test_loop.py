"""The training loop: it learns, it repeats itself, it goes on as if it had never stopped."""

import dataclasses
from pathlib import Path

import pytest
import torch

from tests.ttlib.tiny_training import (
    EXACT,
    MODEL,
    TRAIN,
    gradients,
    keep_gradients,
    make_trainer,
    random_pairs,
    without_speed,
)
from ttlib.data.pairs import PairBatches, collate, n_tokens
from ttlib.errors import DataError, InputError
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import seed_everything
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer
from ttlib.train.loss import cross_entropy
from ttlib.train.objective import TranslationLoss


def assert_same(a: Trainer, b: Trainer) -> None:
    """Bit for bit: weights, average, optimiser, place, history."""
    for (name, p), (_, q) in zip(a.model.state_dict().items(), b.model.state_dict().items(), strict=True):
        assert torch.equal(p, q), name
    assert a.average.values.keys() == b.average.values.keys()
    for name, value in a.average.values.items():
        assert torch.equal(value, b.average.values[name]), name
    one, two = a.optimiser.state_dict()["state"], b.optimiser.state_dict()["state"]
    assert one.keys() == two.keys()
    assert all(torch.equal(one[i][key], two[i][key]) for i in one for key in ("step", "exp_avg", "exp_avg_sq"))
    assert (a.step, a.epoch, a.batch) == (b.step, b.epoch, b.batch)
    assert without_speed(a) == without_speed(b)


def test_two_runs_are_the_same() -> None:
    runs = []
    for seed in (0, 0, 1):
        runs.append(make_trainer(dataclasses.replace(TRAIN, seed=seed)))
        runs[-1].run(show=False)
    assert_same(runs[0], runs[1])
    assert runs[0].history[-1]["loss"] != runs[2].history[-1]["loss"]


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("until", [2, 4, 10])
def test_a_resumed_run_is_an_uninterrupted_one(until: int, accumulate: int, tmp_path: Path) -> None:
    config = dataclasses.replace(TRAIN, accumulate=accumulate)
    whole = make_trainer(config)
    whole.run(show=False)
    first = make_trainer(config)
    first.run(tmp_path / "c", show=False, until=until)
    assert first.batch > 0  # in the middle of an epoch
    seed_everything(99)  # a new process has another state
    second = Trainer(Seq2Seq(MODEL), PairBatches(random_pairs(), TRAIN.max_tokens), config)
    second.resume(tmp_path / "c")
    second.run(show=False)
    assert whole.epoch >= 1  # and over the end of one
    assert_same(whole, second)


class Killed(Exception):
    """Stands for the end of the process."""


def test_killed_between_two_lines_of_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved at step 3, logged every 2: the loss of step 3 belongs to the line of step 4."""
    config = dataclasses.replace(TRAIN, save_every=3)
    whole = make_trainer(config)
    whole.run(show=False)
    run = make_trainer(config)
    update = run.update

    def die_at_five(micro: list) -> float:
        if run.step == 5:
            raise Killed
        return update(micro)

    monkeypatch.setattr(run, "update", die_at_five)
    with pytest.raises(Killed):
        run.run(tmp_path / "c", show=False)
    second = make_trainer(config)
    second.resume(tmp_path / "c")
    assert second.step == 3
    second.run(show=False)
    assert_same(whole, second)


def test_dropout_is_on_while_it_trains() -> None:
    """Else the resumed runs above would prove little."""
    losses = []
    for model in (MODEL, EXACT):
        run = make_trainer(model=model)
        losses.append(run.run(show=False, until=2)[0]["loss"])
        assert run.model.training
    assert losses[0] != losses[1]


def test_resuming_may_change_settings(tmp_path: Path) -> None:
    make_trainer().run(tmp_path / "c", show=False, until=2)
    run = make_trainer(dataclasses.replace(TRAIN, weight_decay=0.5, lr=1e-3))
    run.resume(tmp_path / "c")
    assert [group["weight_decay"] for group in run.optimiser.param_groups] == [0.5, 0.0]
    run.run(show=False, until=4)
    assert run.history[-1]["lr"] == pytest.approx(1e-3)


@pytest.mark.slow
def test_one_batch_is_learnt_by_heart() -> None:
    config = TrainConfig(steps=150, max_tokens=400, warmup=10, lr=1e-2, smoothing=0.0, dtype="float32", log_every=10)
    run = make_trainer(config, EXACT, n_pairs=12)
    assert len(list(run.batches.epoch(0))) == 1
    history = run.run(show=False)
    assert history[0]["loss"] > 1
    assert history[-1]["loss"] < 0.01


def test_accumulated_parts_have_the_gradients_of_their_union() -> None:
    pairs = random_pairs(9)
    whole, parts = make_trainer(model=EXACT), make_trainer(model=EXACT)
    for run in (whole, parts):
        keep_gradients(run)
    loss = whole.update([(collate(pairs), n_tokens(pairs))])
    sum_of_parts = parts.update([(collate(part), n_tokens(part)) for part in (pairs[:2], pairs[2:])])
    assert loss == pytest.approx(sum_of_parts, rel=1e-5)
    one, two = gradients(whole), gradients(parts)
    assert one.keys() == {name for name, _ in whole.model.named_parameters()}
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-6)
    only = make_trainer(model=EXACT)
    keep_gradients(only)
    only.update([(collate(pairs[:2]), n_tokens(pairs[:2]))])  # the other part forgotten
    assert any((one[name] - grad).abs().max() > 1e-2 for name, grad in gradients(only).items())


def test_the_loss_is_that_of_the_real_tokens() -> None:
    model, batch = Seq2Seq(EXACT), collate(random_pairs(7), multiple=8)
    real = batch.tgt_out != 0
    expected = cross_entropy(model(batch.src, batch.tgt_in)[real], batch.tgt_out[real], 0.1)
    torch.testing.assert_close(TranslationLoss(model, 0.1, "float32")(batch), expected)
    low = TranslationLoss(model, 0.1, "bfloat16")(batch)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, expected, rtol=2e-2, atol=0)


def test_gradients_are_clipped_to_their_norm() -> None:
    run = make_trainer(dataclasses.replace(TRAIN, clip=0.01))
    keep_gradients(run)
    run.update([next(run.stream())])
    norm = torch.stack([g.norm() for g in gradients(run).values()]).norm()
    assert norm.item() == pytest.approx(0.01, rel=1e-3)


def test_history_has_a_line_every_few_steps_and_one_at_the_end() -> None:
    run = make_trainer(dataclasses.replace(TRAIN, steps=5))
    assert run.run(show=False) is run.history
    assert [point["step"] for point in run.history] == [2, 4, 5]
    assert all(point["tokens_per_second"] > 0 for point in run.history)
    assert run.history[0]["lr"] == pytest.approx(1e-2 * 2 / 3)  # the second of three warm-up steps


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    make_trainer().run(tmp_path / "c", show=False, until=2)
    other = make_trainer(model=dataclasses.replace(MODEL, d_ff=40))
    before = {name: value.clone() for name, value in other.model.state_dict().items()}
    with pytest.raises(InputError, match=r"of another configuration.*is \(64, 32\) there, \(40, 32\) here"):
        other.resume(tmp_path / "c")
    assert other.step == 0
    assert all(torch.equal(before[name], value) for name, value in other.model.state_dict().items())


def test_a_cut_training_state_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    make_trainer().run(tmp_path / "c", show=False, until=2)
    state = tmp_path / "c" / "state.pt"
    state.write_bytes(state.read_bytes()[:500])
    run = make_trainer(dataclasses.replace(TRAIN, seed=3))
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    with pytest.raises(DataError, match=r"checkpoint: cannot read .*state\.pt.*resume from another"):
        run.resume(tmp_path / "c")
    assert all(torch.equal(before[name], value) for name, value in run.model.state_dict().items())


def test_an_infinite_loss_stops_before_the_weights_are_lost() -> None:
    run = make_trainer(dataclasses.replace(TRAIN, lr=1e-2))
    with torch.no_grad():
        run.model.decoder.embedding.weight[5, 0] = float("inf")
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    with pytest.raises(InputError, match=r"loss: got nan, need finite gradients at step 1: try a lower train\.lr"):
        run.run(show=False)
    assert all(torch.equal(before[name], value) for name, value in run.model.state_dict().items())


def test_an_average_of_another_model_is_refused(tmp_path: Path) -> None:
    make_trainer().run(tmp_path / "c", show=False, until=2)
    make_trainer(model=dataclasses.replace(MODEL, d_ff=40)).run(tmp_path / "d", show=False, until=2)
    (tmp_path / "d" / "average.safetensors").replace(tmp_path / "c" / "average.safetensors")
    run = make_trainer()
    with pytest.raises(InputError, match="of another configuration"):
        run.resume(tmp_path / "c")
    assert run.step == 0


def test_no_steps_are_no_steps() -> None:
    run = make_trainer()
    assert run.run(show=False, until=0) == []
    assert run.step == 0
