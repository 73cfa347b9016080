"""A model in a folder as `transformers` writes it: ``config.json`` and ``model.safetensors``."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ttlib.train.checkpoint import CONFIG, MODEL


def write_folder(folder: Path | str, fields: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> Path:
    """Write ``fields`` and ``weights``, both in Hugging Face's names. The folder is made where it is missing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.part"
    tensors = {name: value.contiguous() for name, value in weights.items()}
    save_file(tensors, partial, metadata={"format": "pt"})  # transformers asks for this note
    os.replace(partial, folder / MODEL)
    (folder / CONFIG).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    return folder
