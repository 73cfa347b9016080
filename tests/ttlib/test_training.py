"""Training: one batch learnt by heart, resumed runs bit for bit, gradients of several processes."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ttlib.data.pairs import PairBatches
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import seed_everything
from ttlib.train import checkpoint
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer

MODEL = Seq2SeqConfig(src_vocab_size=30, tgt_vocab_size=20, d_model=32, n_heads=4, d_ff=64, dropout=0.2)
TRAIN = TrainConfig(steps=12, max_tokens=60, warmup=3, lr=1e-2, dtype="float32", log_every=2, save_every=100)


def pairs(n: int = 40) -> list[tuple[list[int], list[int]]]:
    generator = torch.Generator().manual_seed(7)

    def ids(low: int, high: int, length: int) -> list[int]:
        return torch.randint(low, high, (length,), generator=generator).tolist()

    return [([*ids(3, 30, 3 + i % 5), 2], [1, *ids(3, 20, 2 + i % 4), 2]) for i in range(n)]


def trainer(config: TrainConfig = TRAIN, model: Seq2SeqConfig = MODEL) -> Trainer:
    seed_everything(config.seed)
    return Trainer(Seq2Seq(model), PairBatches(pairs(), config.max_tokens), config)


def assert_same(a: Trainer, b: Trainer) -> None:
    for (name, p), (_, q) in zip(a.model.state_dict().items(), b.model.state_dict().items(), strict=True):
        assert torch.equal(p, q), name
    for name, value in a.average.values.items():
        assert torch.equal(value, b.average.values[name]), name
    assert (a.step, a.epoch, a.batch) == (b.step, b.epoch, b.batch)
    assert [p["loss"] for p in a.history] == [p["loss"] for p in b.history]


def test_two_runs_are_the_same() -> None:
    a = trainer()
    a.run(show=False)
    b = trainer()
    b.run(show=False)
    assert_same(a, b)
    other = trainer(dataclasses.replace(TRAIN, seed=1))
    other.run(show=False)
    assert other.history[-1]["loss"] != a.history[-1]["loss"]


def test_resumed_run_is_bit_equal_to_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = trainer()
    whole.run(show=False)
    first = trainer()
    first.run(tmp_path / "c", show=False, until=4)  # in the middle of an epoch
    assert first.batch > 0
    seed_everything(99)  # a new process has another state
    second = Trainer(Seq2Seq(MODEL), PairBatches(pairs(), TRAIN.max_tokens), TRAIN)
    second.resume(tmp_path / "c")
    second.run(show=False)
    assert_same(whole, second)


@pytest.mark.slow
def test_one_batch_is_learnt_by_heart() -> None:
    config = TrainConfig(steps=150, max_tokens=400, warmup=10, lr=1e-2, smoothing=0.0, dtype="float32", log_every=10)
    seed_everything(0)
    model = Seq2Seq(dataclasses.replace(MODEL, dropout=0.0))
    run = Trainer(model, PairBatches(pairs(12), config.max_tokens), config)
    history = run.run(show=False)
    assert len(list(run.batches.epoch(0))) == 1
    assert history[0]["loss"] > 1
    assert history[-1]["loss"] < 0.01


def test_accumulated_parts_have_the_gradients_of_the_whole() -> None:
    exact = dataclasses.replace(MODEL, dropout=0.0)
    whole, parts = trainer(model=exact), trainer(model=exact)
    rows = list(whole.batches.epoch(0))[:2]
    seen: list[dict[str, torch.Tensor]] = []
    for run in (whole, parts):
        run.optimiser.step = lambda: None  # type: ignore[method-assign]
        run.optimiser.zero_grad = lambda: None  # type: ignore[method-assign]
    joined = collate_two(rows)
    whole.update([joined])
    parts.update(rows)
    for run in (whole, parts):
        seen.append({name: p.grad.clone() for name, p in run.model.named_parameters() if p.grad is not None})
    for name, grad in seen[0].items():
        torch.testing.assert_close(grad, seen[1][name], rtol=1e-4, atol=1e-6)


def collate_two(rows):  # type: ignore[no-untyped-def]
    from ttlib.data.pairs import PairBatch

    def join(name: str) -> torch.Tensor:
        tensors = [getattr(batch, name) for batch, _ in rows]
        width = max(t.size(1) for t in tensors)
        return torch.cat([torch.nn.functional.pad(t, (0, width - t.size(1))) for t in tensors])

    return PairBatch(join("src"), join("tgt_in"), join("tgt_out")), sum(n for _, n in rows)


@pytest.mark.parametrize("broken", ["save_file", "save", "replace"])
def test_killed_while_saving_leaves_the_old_checkpoint(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer()
    run.run(tmp_path / "c", show=False, until=2)
    old = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.run(show=False, until=4)

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    owner = {"save_file": checkpoint, "save": checkpoint.torch, "replace": checkpoint.os}[broken]
    with monkeypatch.context() as patch:
        patch.setattr(owner, broken, die)
        with pytest.raises(KeyboardInterrupt):
            run.save(tmp_path / "c")
    found = checkpoint.find_checkpoint(tmp_path / "c")
    weights = checkpoint.read_weights(found / checkpoint.MODEL)
    assert all(torch.equal(weights[name], value) for name, value in old.items())
    again = trainer()
    again.resume(tmp_path / "c")
    assert again.step == 2


GRADIENTS = Path(__file__).parent / "gradients.py"


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    for n in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
        environment = os.environ | {"PYTHONPATH": str(GRADIENTS.parents[2])}
        done = subprocess.run(
            [*command, str(GRADIENTS), str(tmp_path / f"{n}.pt")], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in (1, 2))
    assert one.keys() == two.keys()
    for name, grad in one.items():
        torch.testing.assert_close(two[name], grad, rtol=1e-4, atol=1e-6)
    assert any(grad.abs().max() > 1e-3 for grad in one.values())
