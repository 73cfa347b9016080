"""The language models' sizes."""

from dataclasses import dataclass

from ttlib.data.language import TextData
from ttlib.models.gpt import GPTConfig
from ttlib.presets.run import Run
from ttlib.train.config import TrainConfig
from ttlib.train.language import prepare


@dataclass(frozen=True, kw_only=True)
class GPTRun(Run):
    """A run of a language model."""

    kind = "language model"
    start = staticmethod(prepare)
    data: TextData
    model: GPTConfig


def gpt_shakespeare() -> GPTRun:
    """The shipped model of Shakespeare's language: 3.7 million parameters, 7.5 MB in bfloat16."""
    return GPTRun(
        data=TextData(),
        model=GPTConfig(vocab_size=2048, d_model=256, n_heads=4, d_ff=1024, n_layers=4, dropout=0.1, max_len=256),
        train=TrainConfig(
            steps=5000, max_tokens=2048, lr=2e-3, warmup=200, weight_decay=0.1, beta2=0.99, smoothing=0.0, average=0.995
        ),
    )


def gpt_tiny() -> GPTRun:
    """A character model that trains in minutes on a CPU, in the sizes that nanoGPT has for that: 4 layers of 128."""
    return GPTRun(
        data=TextData(tokens="characters"),
        model=GPTConfig(vocab_size=83, d_model=128, n_heads=4, d_ff=512, n_layers=4, dropout=0.0, max_len=64),
        train=TrainConfig(
            steps=2000, max_tokens=768, lr=1e-3, lr_end=0.1, warmup=100, weight_decay=0.1, beta2=0.99, smoothing=0.0
        ),
    )
