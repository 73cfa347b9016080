"""Run by torchrun: write the gradients of one global batch, whose rows are uneven and odd in number."""

import sys
from pathlib import Path

import torch

from ttlib.data.pairs import PairBatches
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import seed_everything
from ttlib.train.config import TrainConfig
from ttlib.train.dist import join_world
from ttlib.train.loop import Trainer

ROWS = [([3, 4, 5, 2], [1, 6, 7, 8, 9, 2]), ([5, 2], [1, 4, 2]), ([9, 8, 7, 6, 2], [1, 3, 3, 2])]


def main(out: Path) -> None:
    """One update without a step."""
    config = Seq2SeqConfig(src_vocab_size=30, tgt_vocab_size=20, d_model=32, n_heads=4, d_ff=64, dropout=0.0)
    with join_world() as world:
        seed_everything(0)
        batches = PairBatches(ROWS, 200, 0, world.rank, world.size)
        trainer = Trainer(Seq2Seq(config), batches, TrainConfig(dtype="float32", clip=1e9), world)
        trainer.optimiser.step = trainer.optimiser.zero_grad = lambda: None  # type: ignore[method-assign]
        trainer.update([next(trainer.stream())])
        if world.is_first:
            torch.save({name: p.grad for name, p in trainer.model.named_parameters()}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
