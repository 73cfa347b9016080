"""Checkpoints: whole or not at all, and strict when read."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ttlib.errors import DataError, InputError
from ttlib.train import checkpoint
from ttlib.train.checkpoint import (
    AVERAGE,
    CONFIG,
    MODEL,
    find_checkpoint,
    load_weights,
    read_config,
    read_state,
    read_weights,
    save_checkpoint,
)


def save(folder: Path, number: int) -> None:
    save_checkpoint(folder, tensors(number), tensors(-number), {"place": number}, {"number": number})


def tensors(number: int) -> dict[str, torch.Tensor]:
    return {"w": torch.full((3, 2), float(number)).T}  # not contiguous


def read_all(folder: Path) -> int:
    """The number that all four files agree on."""
    found = find_checkpoint(folder)
    number = read_config(folder)["number"]
    assert torch.equal(read_weights(found / MODEL)["w"], tensors(number)["w"])
    assert torch.equal(read_weights(found / AVERAGE)["w"], tensors(-number)["w"])
    assert read_state(found) == {"place": number}
    return number


def test_saved_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    for number in (1, 2):
        save(folder, number)
        assert read_all(folder) == number
    assert [path.name for path in folder.parent.iterdir()] == ["a"]  # nothing is left beside it


class Killed(BaseException):
    """Stands for the end of the process."""


STAGES = [("save_file", 1), ("save_file", 2), ("save", 1), ("write_text", 1), ("replace", 1), ("replace", 2)]
STAGES += [("rmtree", n) for n in (1, 2, 3)]


def kill_at(patch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Die at that call of that function."""
    owners = {"save_file": checkpoint, "save": torch, "replace": checkpoint.os, "rmtree": checkpoint.shutil}
    owner = owners.get(name, Path)
    real, calls = getattr(owner, name), [0]

    def die(*args: object, **options: object) -> object:
        calls[0] += 1
        if calls[0] == call:
            raise Killed
        return real(*args, **options)

    patch.setattr(owner, name, die)


@pytest.mark.parametrize(("name", "call"), STAGES)
def test_killed_while_saving_leaves_a_whole_checkpoint(
    name: str, call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a", 1)
    with monkeypatch.context() as patch:
        kill_at(patch, name, call)
        with pytest.raises(Killed):
            save(tmp_path / "a", 2)
    assert read_all(tmp_path / "a") == (2 if (name, call) == ("rmtree", 3) else 1)
    save(tmp_path / "a", 3)
    assert read_all(tmp_path / "a") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("second", [stage for stage in STAGES if stage not in (("replace", 2), ("rmtree", 3))])
def test_killed_twice_leaves_a_whole_checkpoint(
    second: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time between the two renamings: what is left then is all there is."""
    save(tmp_path / "a", 1)
    for stage in (("replace", 2), second):
        with monkeypatch.context() as patch:
            kill_at(patch, *stage)
            with pytest.raises(Killed):
                save(tmp_path / "a", 2)
    assert read_all(tmp_path / "a") in (1, 2)


def test_a_killed_first_save_leaves_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kill_at(monkeypatch, "save", 1)
    with pytest.raises(Killed):
        save(tmp_path / "a", 1)
    with pytest.raises(DataError, match=r"checkpoint: no config\.json in .*a; need a folder written by a training run"):
        find_checkpoint(tmp_path / "a")


def test_damaged_files(tmp_path: Path) -> None:
    save(tmp_path / "a", 1)
    folder = tmp_path / "a"
    weights = folder / MODEL
    whole = weights.read_bytes()
    for damaged in (whole[:-1], whole[:20], b"", b"not safetensors at all"):
        weights.write_bytes(damaged)
        with pytest.raises(DataError, match=rf"model\.safetensors \({len(damaged)} bytes\) is truncated or damaged"):
            read_weights(weights)
    weights.unlink()
    with pytest.raises(DataError, match="checkpoint: no file .*model.safetensors; need the weights"):
        read_weights(weights)
    (folder / "state.pt").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"checkpoint: cannot read .*state\.pt"):
        read_state(folder)
    (folder / CONFIG).write_text('{"mod')
    with pytest.raises(DataError, match=r"config\.json is not JSON"):
        read_config(folder)


def test_a_state_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"a": Path("x")}, tmp_path / "state.pt")
    with pytest.raises(DataError, match="checkpoint: cannot read"):
        read_state(tmp_path)


def test_weights_must_fit() -> None:
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    with pytest.raises(InputError, match="of another configuration than the model: missing bias; unknown b"):
        load_weights(model, {"weight": torch.zeros(2, 3), "b": torch.zeros(2)})
    with pytest.raises(InputError, match=r"weight is \(2, 4\) there, \(2, 3\) here"):
        load_weights(model, {"weight": torch.zeros(2, 4), "bias": torch.zeros(2)})
    assert torch.equal(model.weight.detach(), before)
    with pytest.raises(InputError, match="unknown z0; unknown z1; unknown z2 and 2 more"):
        load_weights(model, model.state_dict() | {f"z{i}": torch.zeros(1) for i in range(5)})


def test_weights_take_the_models_dtype() -> None:
    model = nn.Linear(3, 2)
    load_weights(model, {"weight": torch.ones(2, 3, dtype=torch.bfloat16), "bias": torch.zeros(2)})
    assert model.weight.dtype == torch.float32
    assert torch.equal(model.weight.detach(), torch.ones(2, 3))
