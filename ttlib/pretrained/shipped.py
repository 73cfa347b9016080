"""The checkpoints that ship with the package: small, in bfloat16, each with the record of what made it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save_file

from ttlib.errors import DataError
from ttlib.generate.translator import Translator
from ttlib.generate.writer import Writer
from ttlib.models.bert import BertConfig
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.text.subwords import Subwords
from ttlib.text.tokeniser import BPE
from ttlib.train.checkpoint import find_checkpoint, load_weights, read_config, read_state, read_weights

Config = TypeVar("Config", Seq2SeqConfig, GPTConfig, BertConfig)
SHIPPED = Path(__file__).parent.parent / "checkpoints"


def load_translator(folder: Path | str = SHIPPED / "translate_ru_en") -> Translator:
    """A translator from a folder with ``config.json``, weights and two tokenisers; on the CPU, in float32.

    Raises:
        DataError: a file is missing or damaged.
        InputError: the weights are of another configuration.
    """
    folder = find_checkpoint(Path(folder))
    model = Seq2Seq(read_model_config(folder, Seq2SeqConfig))
    load_weights(model, read_weights(folder / "model.safetensors"))
    src, tgt = (Subwords.load(folder / f"{side}_tokenizer.json") for side in ("src", "tgt"))
    return Translator(model.eval(), src, tgt)


def load_gpt(folder: Path | str = SHIPPED / "gpt_shakespeare") -> Writer:
    """A language model with its tokeniser, from a folder with ``config.json``; on the CPU, in float32.

    Raises:
        DataError: a file is missing or damaged.
        InputError: the weights are of another configuration, or the tokeniser cannot be read.
    """
    folder = find_checkpoint(Path(folder))
    model = GPT(read_model_config(folder, GPTConfig))
    load_weights(model, read_weights(folder / "model.safetensors"))
    return Writer(model.eval(), BPE.load(folder / "tokenizer.json"))


def read_model_config(folder: Path, kind: type[Config]) -> Config:
    """The sizes of a checkpoint's model, which is of this kind.

    Raises:
        DataError: the file holds none, or others than such a model has.
    """
    try:
        return kind(**read_config(folder)["model"])
    except (KeyError, TypeError) as error:
        raise DataError(f"checkpoint: {folder / 'config.json'} describes no model of ours: {error!r}") from error


def read_provenance(folder: Path | str = SHIPPED / "translate_ru_en") -> dict[str, Any]:
    """What made a checkpoint: command, hardware, versions, minutes, data, scores."""
    path = Path(folder) / "provenance.json"
    if not path.is_file():
        raise DataError(f"checkpoint: no {path}; need the record that `python -m ttlib export` writes")
    return json.loads(path.read_text())


def export(run: Path, folder: Path, notes: dict[str, Any]) -> Path:
    """Write a run's averaged weights in bfloat16, its tokenisers, configuration and provenance (with ``notes``).

    Raises:
        DataError: ``run`` is not the folder of a training run.
    """
    source = find_checkpoint(run / "checkpoint")
    average, config = read_weights(source / "average.safetensors"), read_config(source)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.part"
    save_file({name: value.to(torch.bfloat16) for name, value in average.items()}, partial)
    os.replace(partial, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model": config["model"]}, indent=1) + "\n")
    for tokeniser in run.glob("*tokenizer.json"):
        shutil.copyfile(tokeniser, folder / tokeniser.name)
    write_provenance(run, folder, notes)
    return folder


def write_provenance(run: Path, folder: Path, notes: dict[str, Any]) -> None:
    """Write what made a run's last checkpoint, with ``notes``, to ``provenance.json``."""
    begun = json.loads((run / "run.json").read_text())
    steps = read_state(find_checkpoint(run / "checkpoint"))["place"][0]
    record = {"command": begun["command"], "steps": steps, **begun["machine"], **notes, **begun["config"]}
    (folder / "provenance.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
