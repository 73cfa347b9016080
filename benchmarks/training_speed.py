"""Tokens per second of a training step: a plain ``torch.nn.Transformer`` beside ttlib, on the same verses.

    python -m benchmarks.training_speed [--steps 12] [--threads 2]

Both have about 8 million parameters, read the same sentences and run in bfloat16. The plain one does what
most tutorials do: sentences in random order padded to the longest, ``nn.Transformer``, logits at every
position, ``F.cross_entropy``. Tokens are real ones
(no padding), source and target together; target tokens alone stand in the last column.
On glibc, run it also with ``MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=1073741824``.
"""

import argparse
import random
import time

import torch
from torch import nn
from torch.nn import functional as F

from ttlib import runtime
from ttlib.data.pairs import IdPair, PairBatch, batches_by_tokens, collate
from ttlib.data.translation import TranslationData, load_split, to_ids, train_tokenisers, training_pairs
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.positions import sinusoids
from ttlib.train.config import TrainConfig
from ttlib.train.objective import TranslationLoss
from ttlib.train.optim import adamw
from ttlib.train.precision import autocast

SRC, TGT, D = 5600, 4000, 256


class Plain(nn.Module):
    """``nn.Transformer`` as its documentation shows it, with tied output."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.src, self.tgt = nn.Embedding(SRC, D), nn.Embedding(TGT, D)
        self.register_buffer("table", sinusoids(256, D))
        self.transformer = nn.Transformer(
            D,
            4,
            3,
            3,
            1024,
            dropout,
            batch_first=True,
            norm_first=True,
        )

    def forward(self, batch: PairBatch) -> torch.Tensor:
        """Summed loss of a batch."""
        hidden = (batch.src == 0, batch.tgt_in == 0)
        causal = nn.Transformer.generate_square_subsequent_mask(batch.tgt_in.size(1)).isinf()
        with autocast(batch.src.device, "bfloat16"):
            s = self.src(batch.src) * 16 + self.table[: batch.src.size(1)]
            t = self.tgt(batch.tgt_in) * 16 + self.table[: batch.tgt_in.size(1)]
            out = self.transformer(
                s,
                t,
                tgt_mask=causal,
                src_key_padding_mask=hidden[0],
                tgt_key_padding_mask=hidden[1],
                memory_key_padding_mask=hidden[0],
            )
            logits = F.linear(out, self.tgt.weight)
        return F.cross_entropy(
            logits.flatten(0, 1).float(), batch.tgt_out.flatten(), ignore_index=0, label_smoothing=0.1, reduction="sum"
        )


def measure(name: str, loss: nn.Module, rows: list[list[IdPair]], multiple: int) -> None:
    """Time training steps on these batches (after three to warm up) and print a line."""
    optimiser = adamw(loss, TrainConfig())
    src = tgt = 0
    seconds = 0.0
    for i, pairs in enumerate(rows):
        start = time.perf_counter()
        (loss(collate(pairs, multiple=multiple)) / 1000).backward()
        nn.utils.clip_grad_norm_(loss.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if i >= 3:
            seconds += time.perf_counter() - start
            src += sum(len(s) for s, _ in pairs)
            tgt += sum(len(t) - 1 for _, t in pairs)
    print(f"{name:58s} {(src + tgt) / seconds:8,.0f} {tgt / seconds:8,.0f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = TranslationData()
    tagged = training_pairs(data, load_split(data))
    pairs = to_ids(tagged, *train_tokenisers(tagged, SRC, TGT))
    n = args.steps + 3
    by_length = [[pairs[i] for i in rows] for rows in batches_by_tokens(pairs, 8000, torch.Generator().manual_seed(0))]
    random.Random(0).shuffle(pairs)
    at_random = [pairs[i : i + 128] for i in range(0, 128 * n, 128)]
    print(runtime.hardware(), "torch", torch.__version__, "threads", args.threads)
    print(f"{'':58s} {'tokens/s':>8s} {'target':>8s}")
    torch.manual_seed(0)
    measure("nn.Transformer, 128 random verses a batch", Plain(0.2), at_random, 1)
    measure("+ batches by length and tokens, widths in eights", Plain(0.2), by_length[:n], 8)
    config = Seq2SeqConfig(src_vocab_size=SRC, tgt_vocab_size=TGT, dropout=0.2)
    measure("ttlib", TranslationLoss(Seq2Seq(config), 0.1, "bfloat16"), by_length[:n], 8)
    measure("ttlib in float32", TranslationLoss(Seq2Seq(config), 0.1, "float32"), by_length[:n], 8)


if __name__ == "__main__":
    main()
