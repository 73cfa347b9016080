"""A training step of masked language modelling: ttlib's BERT beside transformers' BertForMaskedLM.

    python -m benchmarks.bert_step [--rounds 15] [--threads 2] [--dtype float32]

Both have the same sizes, the same weights, dropout of 0, the same rows (15 % of the tokens selected) and the same
optimiser; their turns alternate, and the medians of each are compared. Transformers scores every place and ignores
those that were not selected; ttlib passes only the selected states to the head. The third line does as
transformers does, so that one sees what that is worth.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import transformers
from torch.nn import functional as F

from ttlib import runtime
from ttlib.data.mlm import mask_tokens
from ttlib.models.bert import BertConfig, BertMaskedLM
from ttlib.pretrained.bert import heads_to_hugging_face, hugging_face_config
from ttlib.train.config import TrainConfig
from ttlib.train.optim import adamw
from ttlib.train.precision import autocast

SIZES = BertConfig(vocab_size=8000, d_model=256, n_heads=4, d_ff=1024, n_layers=4, max_len=128, dropout=0.0)
ROWS, LENGTH = 32, 128
Loss = Callable[[], torch.Tensor]


def models(dtype: str) -> dict[str, tuple[torch.nn.Module, Loss]]:
    """Each contestant's model and its loss on one batch."""
    torch.manual_seed(0)
    ours, every = BertMaskedLM(SIZES), BertMaskedLM(SIZES)
    every.load_state_dict(ours.state_dict())
    theirs = transformers.BertForMaskedLM(transformers.BertConfig(**hugging_face_config(SIZES)))
    theirs.load_state_dict(heads_to_hugging_face(ours), strict=False)
    ids = torch.randint(5, SIZES.vocab_size, (ROWS, LENGTH))
    ids[::4, 100:] = 0  # some padding
    read, selected = mask_tokens(ids, SIZES.vocab_size, torch.Generator().manual_seed(0))
    labels, targets = torch.where(selected, ids, -100), ids[selected]
    seen = (ids != 0).long()

    def loss_of_ours() -> torch.Tensor:
        with autocast(ids.device, dtype):
            logits = ours.token_logits(ours.states(read)[selected])
        return F.cross_entropy(logits.float(), targets)

    def loss_of_theirs() -> torch.Tensor:
        with autocast(ids.device, dtype):
            return theirs(read, attention_mask=seen, labels=labels).loss

    def loss_everywhere() -> torch.Tensor:
        with autocast(ids.device, dtype):
            logits = every(read)
        return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten())

    return {
        "transformers' BertForMaskedLM": (theirs, loss_of_theirs),
        "ttlib": (ours, loss_of_ours),
        "ttlib, the head at every place": (every, loss_everywhere),
    }


def step(loss: Loss, optimiser: torch.optim.Optimizer) -> tuple[float, float]:
    """One training step: its loss, and its milliseconds."""
    start = time.perf_counter()
    value = loss()
    value.backward()
    optimiser.step()
    optimiser.zero_grad()
    return value.item(), 1000 * (time.perf_counter() - start)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    contestants = models(args.dtype)
    optimisers = {name: adamw(model, TrainConfig()) for name, (model, _) in contestants.items()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    losses: dict[str, float] = {}
    for number in range(args.rounds + 2):  # two to warm up
        for name, (_, loss) in contestants.items():
            losses[name], took = step(loss, optimisers[name])
            if number >= 2:
                times[name].append(took)
    theirs = statistics.median(times["transformers' BertForMaskedLM"])
    print(runtime.hardware(), "torch", torch.__version__, "transformers", transformers.__version__, args.dtype)
    for name, values in times.items():
        took = statistics.median(values)
        print(f"{name:32s} {took:8.1f} ms a step, {theirs / took:.2f} × as fast, last loss {losses[name]:.4f}")


if __name__ == "__main__":
    main()
