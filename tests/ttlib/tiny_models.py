"""A small model that has learnt twenty-four pairs: its sentences differ in words and in length.

(One with random weights repeats a single word whatever it reads: then every search looks right.)
"""

import copy
import dataclasses
import functools

import torch

from tests.ttlib.tiny_training import EXACT, TRAIN
from ttlib.data.pairs import IdPair, PairBatches
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.dropout import Dropout
from ttlib.runtime import seed_everything
from ttlib.train.loop import Trainer

CONFIG = dataclasses.replace(EXACT, n_encoder_layers=1, n_decoder_layers=2, max_len=20)


def small_model(config: Seq2SeqConfig = CONFIG, towards_eos: float = 0.0) -> Seq2Seq:
    """In float64, and in training mode with much dropout: a search must switch that off."""
    model = copy.deepcopy(_trained(config))
    table = model.output_weight.detach()
    with torch.no_grad():
        model.decoder.norm.bias += towards_eos * (table[config.eos_id] - table.mean(0))
    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = 0.5
    return model.train()


@functools.cache
def _trained(config: Seq2SeqConfig) -> Seq2Seq:
    src = sources(24, 6, config.src_vocab_size)
    generator = torch.Generator().manual_seed(7)
    pairs = []
    for i, row in enumerate(src.tolist()):
        target = torch.randint(3, config.tgt_vocab_size, (i % 6,), generator=generator).tolist()
        pairs.append(([token for token in row if token], [1, *target, 2]))
    return learn_by_heart(config, pairs)


def learn_by_heart(config: Seq2SeqConfig, pairs: list[IdPair]) -> Seq2Seq:
    seed_everything(3)
    model = Seq2Seq(config)
    Trainer(model, PairBatches(pairs, 400), dataclasses.replace(TRAIN, steps=60)).run(show=False)
    return model.double()


def sources(batch: int, length: int, vocab: int = 30, seed: int = 0) -> torch.Tensor:
    """Sentences without special tokens; every third one is padded."""
    ids = torch.randint(3, vocab, (batch, length), generator=torch.Generator().manual_seed(seed))
    ids[2::3, length - 2 :] = 0
    return ids


def unpadded(src: torch.Tensor, row: int) -> torch.Tensor:
    return src[row : row + 1, src[row] != 0]
