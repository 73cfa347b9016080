"""A BERT in a folder that `transformers` opens too: ``config.json``, ``model.safetensors``, ``vocab.txt``."""

import json
from pathlib import Path
from typing import Any

import torch

from ttlib.models.bert import BertConfig, BertMaskedLM, BertPretraining
from ttlib.pretrained.bert import bert_config, heads_to_hugging_face, hugging_face_config, load_bert_heads
from ttlib.pretrained.folder import write_folder
from ttlib.pretrained.shipped import SHIPPED, read_model_config, write_provenance
from ttlib.text.wordpiece import WordPiece
from ttlib.train.checkpoint import find_checkpoint, load_weights, read_config, read_state, read_weights

TOKENIZER = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
KINDS = {BertMaskedLM: "BertForMaskedLM", BertPretraining: "BertForPreTraining"}


def save_bert(folder: Path, model: BertMaskedLM, wordpiece: WordPiece, dtype: torch.dtype = torch.float32) -> Path:
    """Write a model with its heads, and its vocabulary, in Hugging Face's form.

    Then ``from_pretrained(folder)`` of transformers' ``BertForPreTraining`` gives the same outputs, and so do
    ``BertModel``, ``BertForMaskedLM`` and ``BertTokenizer`` for their parts.
    """
    weights = {name: value.to(dtype) for name, value in heads_to_hugging_face(model).items()}
    write_folder(folder, hugging_face_config(model.config) | {"architectures": [KINDS[type(model)]]}, weights)
    write_tokenizer(folder, model.config, wordpiece)
    return folder


def write_tokenizer(folder: Path, config: BertConfig, wordpiece: WordPiece) -> None:
    """Write ``tokenizer_config.json`` and ``vocab.txt``."""
    tokenizer = {**TOKENIZER, "model_max_length": config.max_len}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1) + "\n")
    wordpiece.save(folder / "vocab.txt")


def export_bert(run: Path, folder: Path, notes: dict[str, Any]) -> Path:
    """Write a pretraining run's averaged weights in bfloat16, its pieces, and provenance (with ``notes``).

    Raises:
        DataError: ``run`` is not the folder of a training run.
    """
    source = find_checkpoint(run / "checkpoint")
    model = BertPretraining(read_model_config(source, BertConfig))
    load_weights(model, read_weights(source / "average.safetensors"))
    save_bert(folder, model, WordPiece.load(run / "vocab.txt"), torch.bfloat16)
    history = read_state(source)["history"]
    curve = {name: [round(point[name], 3) for point in history] for name in ("step", "loss")}
    write_provenance(run, folder, notes | {"history": curve})
    return folder


def open_bert(folder: Path | str = SHIPPED / "bert_small") -> tuple[BertPretraining, WordPiece]:
    """A BERT with both heads, and its pieces, from such a folder; on the CPU, in float32, in eval mode.

    Raises:
        DataError: a file is missing or damaged.
        InputError: the weights are of another configuration, or the model is no BERT of ours.
    """
    folder = Path(folder)
    model = BertPretraining(bert_config(read_config(folder)))
    load_bert_heads(model, read_weights(folder / "model.safetensors"))
    return model.eval(), WordPiece.load(folder / "vocab.txt")
