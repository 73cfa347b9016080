"""Started by torchrun: write every process's gradients of some global batches, uneven and tiny ones among them."""

import sys
from pathlib import Path

import torch

from tests.ttlib.tiny_training import EXACT, TRAIN, gradients, keep_gradients, random_pairs
from ttlib.data.pairs import IdPair, PairBatches
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import seed_everything
from ttlib.train.dist import World, join_world
from ttlib.train.loop import Trainer

UNEVEN = [([3, 4, 5, 2], [1, 6, 7, 8, 9, 2]), ([5, 2], [1, 4, 2]), ([9, 8, 7, 6, 2], [1, 3, 3, 2])]
BATCHES = {"even": random_pairs(6), "uneven": UNEVEN, "one row": UNEVEN[:1]}


def one_update(pairs: list[IdPair], world: World) -> dict[str, torch.Tensor]:
    """The mean loss and the gradients of one global batch."""
    seed_everything(0)
    trainer = Trainer(Seq2Seq(EXACT), PairBatches(pairs, 400, 0, world.rank, world.size), TRAIN, world)
    keep_gradients(trainer)
    loss = trainer.update([next(trainer.stream())])
    return {"loss": torch.tensor(loss), **gradients(trainer)}


def main(folder: Path) -> None:
    with join_world() as world:
        found = {name: one_update(pairs, world) for name, pairs in BATCHES.items()}
        torch.save(found, folder / f"{world.rank}_of_{world.size}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
