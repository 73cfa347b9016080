"""A translation run: pairs, tokenisers, and an untrained model with its batches."""

from pathlib import Path
from typing import NamedTuple

from ttlib import runtime
from ttlib.data.pairs import PairBatches
from ttlib.data.records import Pair
from ttlib.data.split import Split
from ttlib.data.translation import TranslationData, load_split, to_ids, train_tokenisers, training_pairs
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.text.subwords import Subwords
from ttlib.train.config import TrainConfig
from ttlib.train.dist import ALONE, World
from ttlib.train.loop import Trainer


class Prepared(NamedTuple):
    """What a run starts from."""

    split: Split[Pair]
    src: Subwords
    tgt: Subwords
    trainer: Trainer

    def save_tokenisers(self, folder: Path) -> None:
        """Write ``src_tokenizer.json`` and ``tgt_tokenizer.json``."""
        self.src.save(folder / "src_tokenizer.json")
        self.tgt.save(folder / "tgt_tokenizer.json")


def prepare(
    data: TranslationData, model: Seq2SeqConfig, train: TrainConfig, world: World = ALONE, folder: Path | None = None
) -> Prepared:
    """Data, tokenisers (read from ``folder`` if they are there, else learnt) and an untrained model.

    Raises:
        DataError: a corpus is missing; the message says what to install.
    """
    split = load_split(data)
    tagged = training_pairs(data, split)
    if folder and (folder / "tgt_tokenizer.json").is_file():
        src, tgt = Subwords.load(folder / "src_tokenizer.json"), Subwords.load(folder / "tgt_tokenizer.json")
    else:
        src, tgt = train_tokenisers(tagged, model.src_vocab_size, model.tgt_vocab_size)
    runtime.seed_everything(train.seed)  # every process begins with the same weights
    network = Seq2Seq(model)
    runtime.seed_everything(train.seed + world.rank)  # but drops out on its own
    pairs = to_ids(tagged, src, tgt, model.eos_id)
    batches = PairBatches(pairs, train.max_tokens, train.seed, world.rank, world.size, model.pad_id)
    return Prepared(split, src, tgt, Trainer(network, batches, train, world))
