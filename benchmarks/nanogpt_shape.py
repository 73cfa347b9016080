"""A character model in nanoGPT's sizes for a CPU: its recipe in plain torch parts beside ttlib's loop, same text.

    python -m benchmarks.nanogpt_shape [--steps 2000] [--seeds 0 1 2] [--rounds 50] [--float32]

4 layers of 128, 4 heads, contexts of 64, batches of 12, no dropout, 2,000 steps of AdamW (0.9, 0.99), rate 1e-3 down
to 1e-4 by a cosine after 100 steps of warm-up, weight decay 0.1 on matrices, gradients clipped at 1, one thread. The
text is 37 plays; the last tenth of it is for validation. The peer is written from nanoGPT's description (one linear
layer for query, key and value, ``F.scaled_dot_product_attention`` with ``is_causal``, no biases, the head tied to the
embedding, windows drawn at random with replacement, torch's default AdamW, float32). Ours is `ttlib.presets.gpt_tiny`
as it is, in bfloat16 where that is measured to be faster; with ``--float32`` in float32, too. All take turns in one
process, ``rounds`` steps each; times are medians of a step's CPU time, which other programs on the machine disturb
less than the clock's.
"""

import argparse
import dataclasses
import math
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from ttlib import runtime
from ttlib.data.language import START
from ttlib.data.shakespeare import cut_last, plays
from ttlib.data.windows import Windows
from ttlib.generate.likelihood import token_nats
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.presets.gpt import gpt_tiny
from ttlib.shapes import Tensor
from ttlib.text.splitting import Letters
from ttlib.text.tokeniser import BPE
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer
from ttlib.train.objective import LanguageModelLoss
from ttlib.train.schedule import learning_rate

JUDGED = 131_072  # characters of the validation text


class PlainBlock(nn.Module):
    """Attention and feed-forward, each after a norm and added to what came in."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model, bias=False), nn.LayerNorm(d_model, bias=False)
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.mix = nn.Linear(d_model, d_model, bias=False)
        self.up, self.down = nn.Linear(d_model, 4 * d_model, bias=False), nn.Linear(4 * d_model, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same."""
        b, t, d = x.shape
        parts = self.qkv(self.norm_1(x)).split(d, dim=2)
        q, k, v = (part.view(b, t, self.n_heads, -1).transpose(1, 2) for part in parts)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(heads.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class Plain(nn.Module):
    """The peer: tables of tokens and places, blocks, a norm, the tied head."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.d_model)
        self.places = nn.Embedding(config.max_len, config.d_model)
        self.blocks = nn.Sequential(*(PlainBlock(config.d_model, config.n_heads) for _ in range(config.n_layers)))
        self.norm = nn.LayerNorm(config.d_model, bias=False)
        for name, p in self.named_parameters():
            if p.dim() >= 2:
                adds = name.endswith(("mix.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * config.n_layers) if adds else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, T, V)."""
        x = self.tokens(ids) + self.places(torch.arange(ids.size(1)))
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)


class PlainTraining:
    """The peer's loop, one step at a time."""

    def __init__(self, config: GPTConfig, train: TrainConfig, ids: Tensor, batch: int) -> None:
        self.model, self.train, self.batch = Plain(config), train, batch
        self.data, self.length, self.step = ids.to(torch.int16), config.max_len, 0
        matrices = [p for p in self.model.parameters() if p.dim() >= 2]
        vectors = [p for p in self.model.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": train.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=train.lr, betas=(0.9, train.beta2))

    def update(self) -> float:
        """Draw windows, and learn from them."""
        starts = torch.randint(len(self.data) - self.length, (self.batch,)).tolist()
        ids = torch.stack([self.data[i : i + self.length].long() for i in starts])
        targets = torch.stack([self.data[i + 1 : i + 1 + self.length].long() for i in starts])
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.train)
        loss = F.cross_entropy(self.model(ids).flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.train.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()


class OurTraining:
    """ttlib's loop, one step at a time."""

    def __init__(self, config: GPTConfig, train: TrainConfig, ids: Tensor, batch: int) -> None:
        windows = Windows(ids, config.max_len, batch, train.seed)
        self.trainer = Trainer(GPT(config), windows, train, objective=LanguageModelLoss)
        self.model = self.trainer.model
        self.stream = self.trainer.stream()

    def update(self) -> float:
        """What `Trainer.run` does at each step."""
        return self.trainer.update([next(self.stream)])


def judge(model: nn.Module, ids: Tensor) -> float:
    """Nats per character, in windows side by side as in training."""
    return float(token_nats(model, ids, stride=model.config.max_len, batch=64).mean())


def compare(seed: int, args: argparse.Namespace, ids: tuple[Tensor, Tensor], n_kinds: int) -> dict[str, list[float]]:
    """Train both, taking turns; validation losses and step times."""
    preset = gpt_tiny()
    steps, rounds = args.steps, args.rounds
    train = dataclasses.replace(preset.train, steps=steps, seed=seed)
    batch = train.max_tokens // preset.model.max_len
    runs: dict[str, PlainTraining | OurTraining] = {}
    kinds = {"plain": (PlainTraining, "float32"), "ttlib": (OurTraining, "auto")}
    kinds |= {"ttlib in float32": (OurTraining, "float32")} if args.float32 else {}
    for name, (kind, dtype) in kinds.items():
        torch.manual_seed(seed)
        model = dataclasses.replace(preset.model, vocab_size=n_kinds)
        runs[name] = kind(model, dataclasses.replace(train, dtype=dtype), ids[0], batch)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for first in range(0, steps, rounds):
        for name, run in runs.items():
            for _ in range(min(rounds, steps - first)):
                start = time.process_time()
                run.update()
                times[name].append(1000 * (time.process_time() - start))
    found = {f"{name} ms": [statistics.median(times[name][10:])] for name in runs}
    for name, run in runs.items():
        found[f"{name} loss"] = [judge(run.model, ids[1])]
        if isinstance(run, OurTraining):
            run.model.load_state_dict(run.trainer.average.values)
            found[f"{name} loss, averaged"] = [judge(run.model, ids[1])]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--float32", action="store_true", help="ttlib in float32, too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    text = "".join(plays().values())
    tokeniser = BPE.train([text], 1000, Letters(), [START])
    train, valid = (torch.tensor(tokeniser.encode(part)) for part in cut_last(text))
    print(
        runtime.hardware(), "torch", torch.__version__, f"{len(train):,} characters, {len(tokeniser)} kinds", flush=True
    )
    found: dict[str, list[float]] = {}
    for seed in args.seeds:
        for name, values in compare(seed, args, (train, valid[:JUDGED]), len(tokeniser)).items():
            found.setdefault(name, []).extend(values)
        print(f"seed {seed}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in found.items()), flush=True)
    for name, values in found.items():
        print(f"{name:30s} {statistics.mean(values):8.4f}  from {min(values):.4f} to {max(values):.4f}")


if __name__ == "__main__":
    main()
