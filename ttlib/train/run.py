"""A training run in its folder: what it is stands there before its first step."""

import json
import os
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ttlib import runtime
from ttlib.train.loop import Trainer


@runtime_checkable
class Prepared(Protocol):
    """What a run starts from: data, tokenisers, and the model in its trainer."""

    @property
    def trainer(self) -> Trainer:
        """Model, batches and optimiser."""
        ...

    def save_tokenisers(self, folder: Path) -> None:
        """Write every ``…tokenizer.json``."""
        ...


def begin(folder: Path, record: dict[str, Any], prepared: Prepared) -> None:
    """Write what a run is, before its first step."""
    folder.mkdir(parents=True, exist_ok=True)
    prepared.save_tokenisers(folder)
    record = record | {"machine": runtime.describe()}
    partial = folder / "run.part"
    partial.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, folder / "run.json")
