"""Several processes are one: the same loss, the same gradients, one checkpoint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.ttlib.two_processes import BATCHES
from tools.chapters import ROOT
from ttlib.train.checkpoint import MODEL, read_weights
from ttlib.train.dist import ALONE, World, join_world

SCRIPT = ROOT / "tests" / "ttlib" / "two_processes.py"


def torchrun(n: int, *words: str) -> subprocess.CompletedProcess[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TTLIB_DEVICE": "cpu"}
    return subprocess.run(
        [sys.executable, *launcher, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("TTLIB_DEVICE", "cpu")
    with join_world() as world:
        assert world == ALONE == World(0, 1, torch.device("cpu"))
        assert not torch.distributed.is_initialized()


def test_only_the_first_process_prints_and_saves() -> None:
    assert World(0, 2).is_first
    assert not World(1, 2).is_first


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("gradients")
    for n in (1, 2):
        done = torchrun(n, str(SCRIPT), str(folder))
        assert done.returncode == 0, done.stderr[-2000:]
    return {path.stem: torch.load(path, weights_only=True) for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_equals_one(batch: str, rank: int, results: dict[str, dict]) -> None:
    one, two = results["0_of_1"][batch], results[f"{rank}_of_2"][batch]
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.slow
def test_two_processes_mutant_differs(results: dict[str, dict]) -> None:
    """A factor of two, or one process's part alone, would not pass for the same gradients."""
    uneven, part = results["0_of_1"]["uneven"], results["0_of_1"]["one row"]
    for other in ({name: 2 * grad for name, grad in uneven.items()}, part):
        differences = [(uneven[name] - other[name]).abs().max().item() for name in uneven]
        assert max(differences) > 1e-2


@pytest.mark.slow
def test_two_processes_train_save_and_resume(tmp_path: Path) -> None:
    run = tmp_path / "a"
    settings = ["model.d_model=32", "model.d_ff=32", "model.src_vocab_size=600", "model.tgt_vocab_size=500"]
    settings += ["train.max_tokens=300", "train.steps=2", "train.log_every=1", "train.save_every=1", "train.warmup=2"]
    done = torchrun(2, "-m", "ttlib", "train", "translate_tiny", *settings, "--out", str(run))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("training: 2/2") == 1
    assert json.loads(done.stdout.splitlines()[-1])["step"] == 2
    before = read_weights(run / "checkpoint" / MODEL)
    done = torchrun(2, "-m", "ttlib", "train", "--resume", str(run), "train.steps=3")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["step"] == 3
    after = read_weights(run / "checkpoint" / MODEL)
    assert any(not torch.equal(before[name], after[name]) for name in before)
