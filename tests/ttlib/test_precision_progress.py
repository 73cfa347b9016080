"""bfloat16 by measurement, and a progress line that leaves one plain line in a log."""

import pytest
import torch

from tests.ttlib.tiny_training import make_trainer
from ttlib.train import precision, progress
from ttlib.train.config import TrainConfig
from ttlib.train.precision import autocast, faster_dtype
from ttlib.train.progress import Progress, clock

CPU = torch.device("cpu")


def test_autocast_chooses_the_type_of_matrix_products() -> None:
    a = torch.ones(2, 2)
    with autocast(CPU, "bfloat16"):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(CPU, "float32"):
        assert (a @ a).dtype == torch.float32
    assert (a @ a).dtype == torch.float32


@pytest.mark.parametrize(
    ("low", "high", "found"), [(1.0, 1.3, "bfloat16"), (1.0, 1.1, "float32"), (9.0, 1.0, "float32")]
)
def test_bfloat16_must_be_a_fifth_faster(low: float, high: float, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {torch.bfloat16: low, torch.float32: high}
    monkeypatch.setattr(precision, "_time_matmul", lambda device, dtype: seconds[dtype])
    assert faster_dtype(CPU) == found
    trainer = make_trainer(TrainConfig(dtype="auto", max_tokens=60))
    assert trainer.config.dtype == trainer.loss.dtype == found  # written down as what it was


def test_measuring_works_here() -> None:
    assert faster_dtype(CPU) in ("float32", "bfloat16")
    assert precision._time_matmul(CPU, torch.float32) > 0


def test_a_log_gets_one_plain_line_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("training", 2000, every=0.0) as line:
        for step in (1, 1000, 2000):
            line.update(step, f"loss {step}")
            assert capsys.readouterr().out == ""
    assert capsys.readouterr().out == "training: 2,000/2,000, 0:00, loss 2000\n"


def test_a_log_gets_the_last_line_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), Progress("training", 10) as line:
        line.update(5)
        raise KeyError
    assert capsys.readouterr().out == "training: 5/10, 0:00, 0:00 to go\n"


def test_a_terminal_line_is_rewritten(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: True, raising=False)
    with Progress("training", 2, every=0.0) as line:
        line.update(1)
        line.update(2)
    shown = capsys.readouterr().out
    assert shown.split("\r\x1b[K")[1:] == [
        "training: 1/2, 0:00, 0:00 to go",
        "training: 2/2, 0:00",
        "training: 2/2, 0:00\n",
    ]


def test_a_disabled_line_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("training", 2, every=0.0, enabled=False) as line:
        line.update(2)
    with Progress("training", 2):
        pass  # nothing was done
    assert capsys.readouterr().out == ""


def test_a_run_shows_its_line_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    make_trainer().run(show=False, until=2)
    assert capsys.readouterr().out == ""
    make_trainer().run(until=2)
    shown = capsys.readouterr().out
    assert shown.startswith("training: 2/2, ")
    assert shown.count("\n") == 1
    assert "loss " in shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00"), (9.6, "0:10"), (59.6, "1:00"), (3599.0, "59:59"), (3600.0, "1:00:00"), (90061.0, "25:01:01")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
