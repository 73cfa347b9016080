"""What every preset is: data, model and training, and the way to make them ready."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ttlib.train.config import TrainConfig
from ttlib.train.dist import World
from ttlib.train.run import Prepared


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that decides a run: ``data``, ``model`` and ``train``. Subclasses say of which kind they are."""

    kind: ClassVar[str]
    start: ClassVar[Callable[..., Prepared]]  # (data, model, train, world, folder)
    data: Any
    model: Any
    train: TrainConfig

    def prepare(self, world: World, folder: Path | None = None) -> Prepared:
        """What the run starts from; tokenisers come from ``folder`` if they are there."""
        return type(self).start(self.data, self.model, self.train, world, folder)
