"""A pretraining run in its folder: vocabulary, resolved configuration, checkpoint, history."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ttlib import runtime
from ttlib.data.documents import Corpus, encode_documents, load_documents
from ttlib.data.pretraining import PretrainingBatches, PretrainingData
from ttlib.models.bert import BertConfig, BertPretraining
from ttlib.text.wordpiece import WordPiece
from ttlib.train.config import TrainConfig
from ttlib.train.dist import ALONE, World
from ttlib.train.loop import Trainer
from ttlib.train.pretraining import PretrainingLoss

VOCABULARY = "vocab.txt"


class PreparedBert(NamedTuple):
    """What a run starts from."""

    wordpiece: WordPiece
    valid: Corpus
    trainer: Trainer


def prepare_bert(
    data: PretrainingData, model: BertConfig, train: TrainConfig, world: World = ALONE, folder: Path | None = None
) -> PreparedBert:
    """Documents, pieces (read from ``folder`` if they are there, else learnt) and an untrained model.

    Raises:
        DataError: a corpus is missing; the message says what to install.
        InputError: the vocabulary has another size than the model's.
    """
    documents = load_documents(data.collections.split(","))
    if folder and (folder / VOCABULARY).is_file():
        wordpiece = WordPiece.load(folder / VOCABULARY)
    else:
        texts = (sentence for document in documents.train for sentence in document.sentences)
        wordpiece = WordPiece.train(texts, model.vocab_size)
    runtime.seed_everything(train.seed)  # every process begins with the same weights
    network = BertPretraining(model)
    runtime.seed_everything(train.seed + world.rank)  # but drops out on its own
    batches = PretrainingBatches(
        encode_documents(documents.train, wordpiece),
        len(wordpiece),
        train.max_tokens,
        pairs=data.rule(model.max_len),
        seed=train.seed,
        process=(world.rank, world.size),
    )
    valid = encode_documents(documents.valid, wordpiece)
    return PreparedBert(wordpiece, valid, Trainer(network, batches, train, world, PretrainingLoss))


def begin_bert(folder: Path, record: dict[str, Any], prepared: PreparedBert) -> None:
    """Write what a run is, before its first step."""
    folder.mkdir(parents=True, exist_ok=True)
    prepared.wordpiece.save(folder / VOCABULARY)
    partial = folder / "run.part"
    partial.write_text(json.dumps(record | {"machine": runtime.describe()}, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, folder / "run.json")
