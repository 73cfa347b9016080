"""The sizes of the BERT that the book pretrains."""

from dataclasses import dataclass

from ttlib.data.pretraining import PretrainingData
from ttlib.models.bert import BertConfig
from ttlib.presets.run import Run
from ttlib.train.bert import prepare
from ttlib.train.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class BertRun(Run):
    """A run of BERT's pretraining."""

    kind = "pretraining"
    start = staticmethod(prepare)
    data: PretrainingData
    model: BertConfig


def bert_small() -> BertRun:
    """The shipped encoder: 3.4 million parameters, 7 MB in bfloat16, lower-case English of films and of the Bible.

    Rows are short, at most 48 tokens: in rows of 256, attention takes thousands of steps to find a gap's neighbours.
    The shipped one was resumed at step 11,000 with ``data.max_len=256``, and so learnt the later places too.
    """
    return BertRun(
        data=PretrainingData(max_len=48),
        model=BertConfig(vocab_size=8000, d_model=192, n_heads=3, d_ff=768, n_layers=4, max_len=256, dropout=0.0),
        train=TrainConfig(steps=16000, max_tokens=4096, smoothing=0.0, average=0.999, lr=2e-3, warmup=300),
    )


def bert_base() -> BertConfig:
    """BERT BASE of the paper: 110 million parameters (Devlin et al. 2018, §3)."""
    return BertConfig()


def bert_large() -> BertConfig:
    """BERT LARGE of the paper: 340 million parameters (Devlin et al. 2018, §3)."""
    return BertConfig(d_model=1024, n_heads=16, d_ff=4096, n_layers=24)
