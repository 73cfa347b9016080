"""A language model's run: works, a tokeniser, and an untrained model with its windows."""

from pathlib import Path
from typing import NamedTuple

from ttlib import runtime
from ttlib.data.language import TextData, text_ids, train_tokeniser
from ttlib.data.shakespeare import Works, split_works
from ttlib.data.windows import Windows
from ttlib.errors import require
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.text.tokeniser import BPE
from ttlib.train.config import TrainConfig
from ttlib.train.dist import ALONE, World
from ttlib.train.loop import Trainer
from ttlib.train.objective import LanguageModelLoss


class Prepared(NamedTuple):
    """What a run starts from."""

    works: Works
    tokeniser: BPE
    trainer: Trainer

    def save_tokenisers(self, folder: Path) -> None:
        """Write ``tokenizer.json``."""
        self.tokeniser.save(folder / "tokenizer.json")


def prepare(
    data: TextData, model: GPTConfig, train: TrainConfig, world: World = ALONE, folder: Path | None = None
) -> Prepared:
    """Data, tokeniser (read from ``folder`` if it is there, else learnt) and an untrained model.

    A micro-batch is ``train.max_tokens`` in windows as long as the model's positions.

    Raises:
        DataError: the corpus is missing; the message says what to install.
        InputError: the vocabulary is not as large as the model's, or ``max_tokens`` does not hold a window.
    """
    works = split_works()
    if folder and (folder / "tokenizer.json").is_file():
        tokeniser = BPE.load(folder / "tokenizer.json")
    else:
        tokeniser = train_tokeniser(data, works, model.vocab_size)
    runtime.seed_everything(train.seed)  # every process begins with the same weights
    network = GPT(model)
    runtime.seed_everything(train.seed + world.rank)  # but drops out on its own
    ids = text_ids(tokeniser, works.train.values())
    rows = train.max_tokens // model.max_len
    require(rows > 0, "max_tokens", train.max_tokens, f"at least {model.max_len}, one window")
    windows = Windows(ids, model.max_len, rows, train.seed, world.rank, world.size)
    return Prepared(works, tokeniser, Trainer(network, windows, train, world, LanguageModelLoss))
