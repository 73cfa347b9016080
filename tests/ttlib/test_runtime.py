"""Preset, device, seeds, the record of a run."""

import json
import random

import pytest
import torch
from torch import nn

from ttlib import __version__, runtime
from ttlib.errors import InputError


@pytest.mark.parametrize(("name", "steps"), [("ci", 20), ("cpu", 300), ("gpu", 3000)])
def test_choose_by_preset(name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTLIB_PRESET", name)
    assert runtime.preset() == name
    assert runtime.choose(ci=20, cpu=300, gpu=3000) == steps


@pytest.mark.parametrize("setting", [None, ""])
@pytest.mark.parametrize(("cuda", "found"), [(True, "gpu"), (False, "cpu")])
def test_without_a_variable_the_device_decides(
    setting: str | None, cuda: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TTLIB_PRESET") if setting is None else monkeypatch.setenv("TTLIB_PRESET", setting)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert runtime.preset() == found


@pytest.mark.parametrize("wrong", ["huge", "CPU", " ci"])
def test_an_unknown_preset(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTLIB_PRESET", wrong)
    for call in (runtime.preset, lambda: runtime.choose(ci=1, cpu=2, gpu=3), runtime.describe):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == f"TTLIB_PRESET: got {wrong!r}, need one of ci, cpu, gpu"


def test_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TTLIB_DEVICE", raising=False)
    assert runtime.device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setenv("TTLIB_DEVICE", "meta")
    assert runtime.device() == torch.device("meta")


def test_seeds_repeat_and_differ() -> None:
    def draw(seed: int) -> tuple[float, float]:
        runtime.seed_everything(seed)
        return random.random(), torch.rand(()).item()

    assert draw(1) == draw(1)
    assert all(a != b for a, b in zip(draw(1), draw(2), strict=True))


def test_generators_are_put_back() -> None:
    state = runtime.random_state()
    first = torch.rand(3)
    assert not torch.equal(torch.rand(3), first)
    runtime.restore_random_state(state)
    assert torch.equal(torch.rand(3), first)


@pytest.mark.parametrize("training", [True, False])
def test_eval_mode_is_put_back_even_after_an_error(training: bool) -> None:
    layer = nn.Dropout(0.5).train(training)
    with runtime.eval_mode(layer):
        assert not layer.training
        assert torch.is_inference_mode_enabled()
    assert layer.training is training
    with pytest.raises(KeyError), runtime.eval_mode(layer):
        raise KeyError
    assert layer.training is training
    assert not torch.is_inference_mode_enabled()


def test_the_record_of_a_run_is_plain_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTLIB_PRESET", "cpu")
    record = runtime.describe()
    assert json.loads(json.dumps(record)) == record
    assert (record["preset"], record["torch"], record["ttlib"]) == ("cpu", torch.__version__, __version__)
    assert all(record[key] for key in ("hardware", "python"))


def test_hardware_names_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert " cores of " in runtime.hardware()
