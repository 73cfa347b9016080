"""Checkpoints: written whole or not at all, read strictly."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ttlib.errors import DataError, InputError

MODEL, AVERAGE, STATE, CONFIG = "model.safetensors", "average.safetensors", "state.pt", "config.json"


def save_checkpoint(
    folder: Path, model: dict[str, torch.Tensor], average: dict[str, torch.Tensor], state: Any, config: dict[str, Any]
) -> None:
    """Write weights (safetensors), their average, training state and configuration to ``folder``.

    All is written to a new folder beside it, which then takes its place: a run that is killed while it
    saves leaves the old checkpoint readable.
    """
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in model.items()}, new / MODEL)
    save_file({k: v.contiguous() for k, v in average.items()}, new / AVERAGE)
    torch.save(state, new / STATE)
    (new / CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False))
    if folder.exists():  # else the old one is all there is
        shutil.rmtree(old, ignore_errors=True)
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def find_checkpoint(folder: Path) -> Path:
    """The folder to read: itself, or what an interrupted save has left of it.

    Raises:
        DataError: there is none.
    """
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / CONFIG).is_file():
            return candidate
    raise DataError(f"checkpoint: no {CONFIG} in {folder}; need a folder written by a training run")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a safetensors file, on the CPU.

    Raises:
        DataError: it is missing, cut short or not safetensors.
    """
    if not path.is_file():
        raise DataError(f"checkpoint: no file {path}; need the weights of a training run")
    try:
        return load_file(path)
    except SafetensorError as error:
        size = path.stat().st_size
        raise DataError(f"checkpoint: {path} ({size} bytes) is truncated or damaged: {error}; copy it again") from error


def load_weights(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Load every weight into the parameter of its name, converted to its dtype. Nothing is loaded if one does not fit.

    Raises:
        InputError: naming the first parameters that are missing, unknown or of another shape.
    """
    check_names(model.state_dict(), weights, "checkpoint")
    model.load_state_dict(weights)


def check_names(own: Mapping[str, torch.Tensor], weights: Mapping[str, torch.Tensor], what: str) -> None:
    """Refuse weights whose names and shapes are not exactly ``own``'s.

    Raises:
        InputError: naming the first that are missing, unknown or of another shape.
    """
    problems = [f"missing {name}" for name in own if name not in weights]
    problems += [f"unknown {name}" for name in weights if name not in own]
    problems += [
        f"{name} is {tuple(weights[name].shape)} there, {tuple(own[name].shape)} here"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise InputError(f"{what}: of another configuration than the model: {'; '.join(problems[:3])}{more}")


def read_state(folder: Path) -> Any:
    """The training state: optimiser, step, place in the data, random generators.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        return torch.load(folder / STATE, weights_only=True)
    except Exception as error:  # torch raises many kinds for a cut file
        raise DataError(f"checkpoint: cannot read {folder / STATE}: {error}; resume from another") from error


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration that a checkpoint was made with.

    Raises:
        DataError: there is none, or it is not JSON.
    """
    path = find_checkpoint(folder) / CONFIG
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"checkpoint: {path} is not JSON: {error}") from error
