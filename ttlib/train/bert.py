"""A pretraining run: documents, pieces, and an untrained BERT with its batches."""

from pathlib import Path
from typing import NamedTuple

from ttlib import runtime
from ttlib.data.documents import Corpus, encode_documents, load_documents
from ttlib.data.pretraining import PretrainingBatches, PretrainingData
from ttlib.errors import require
from ttlib.models.bert import BertConfig, BertPretraining, quick_start
from ttlib.text.wordpiece import WordPiece
from ttlib.train.config import TrainConfig
from ttlib.train.dist import ALONE, World
from ttlib.train.loop import Trainer
from ttlib.train.pretraining import PretrainingLoss

VOCABULARY = "vocab.txt"


class Prepared(NamedTuple):
    """What a run starts from."""

    wordpiece: WordPiece
    valid: Corpus
    trainer: Trainer

    def save_tokenisers(self, folder: Path) -> None:
        """Write ``vocab.txt``."""
        self.wordpiece.save(folder / VOCABULARY)


def prepare(
    data: PretrainingData, model: BertConfig, train: TrainConfig, world: World = ALONE, folder: Path | None = None
) -> Prepared:
    """Documents, pieces (read from ``folder`` if they are there, else learnt) and an untrained model.

    Raises:
        DataError: a corpus is missing; the message says what to install.
        InputError: a collection is unknown, or ``max_tokens`` or ``model.max_len`` does not hold a pair.
    """
    require(data.max_len <= model.max_len, "data.max_len", data.max_len, f"at most model.max_len={model.max_len}")
    documents = load_documents(data.collections.split(","))
    if folder and (folder / VOCABULARY).is_file():
        wordpiece = WordPiece.load(folder / VOCABULARY)
    else:
        texts = (sentence for document in documents.train for sentence in document.sentences)
        wordpiece = WordPiece.train(texts, model.vocab_size)
    runtime.seed_everything(train.seed)  # every process begins with the same weights
    network = BertPretraining(model)
    quick_start(network)
    runtime.seed_everything(train.seed + world.rank)  # but drops out on its own
    batches = PretrainingBatches(
        encode_documents(documents.train, wordpiece),
        len(wordpiece),
        train.max_tokens,
        pairs=data.rule(),
        seed=train.seed,
        process=(world.rank, world.size),
    )
    valid = encode_documents(documents.valid, wordpiece)
    return Prepared(wordpiece, valid, Trainer(network, batches, train, world, PretrainingLoss))
