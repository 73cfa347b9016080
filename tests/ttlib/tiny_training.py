"""A training run of a second: random pairs, a small model, float32."""

import dataclasses

import torch

from ttlib.data.pairs import IdPair, PairBatches
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import seed_everything
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer

MODEL = Seq2SeqConfig(src_vocab_size=30, tgt_vocab_size=20, d_model=32, n_heads=4, d_ff=64, dropout=0.2)
EXACT = dataclasses.replace(MODEL, dropout=0.0)
TRAIN = TrainConfig(steps=12, max_tokens=60, warmup=3, lr=1e-2, dtype="float32", log_every=2, save_every=100)


def random_pairs(n: int = 40, seed: int = 7) -> list[IdPair]:
    generator = torch.Generator().manual_seed(seed)

    def ids(high: int, length: int) -> list[int]:
        return torch.randint(3, high, (length,), generator=generator).tolist()

    return [([*ids(30, 3 + i % 5), 2], [1, *ids(20, 2 + i % 4), 2]) for i in range(n)]


def make_trainer(train: TrainConfig = TRAIN, model: Seq2SeqConfig = MODEL, n_pairs: int = 40) -> Trainer:
    seed_everything(train.seed)
    network = Seq2Seq(model)
    return Trainer(network, PairBatches(random_pairs(n_pairs), train.max_tokens, train.seed), train)


def keep_gradients(trainer: Trainer) -> None:
    """Updates leave weights and gradients as the backward pass made them."""
    trainer.optimiser.step = trainer.optimiser.zero_grad = lambda: None  # type: ignore[method-assign]


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}


def without_speed(trainer: Trainer) -> list[dict[str, float]]:
    """The history but for the clock."""
    return [{k: v for k, v in point.items() if k != "tokens_per_second"} for point in trainer.history]
