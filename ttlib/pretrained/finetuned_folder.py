"""A fine-tuned BERT in a folder that `transformers` opens: ``config.json``, ``model.safetensors``, ``vocab.txt``."""

from pathlib import Path

from ttlib.errors import InputError, require
from ttlib.models.finetuned import BertWithHead
from ttlib.models.heads import FirstTokenHead, SpanHead, TokenHead
from ttlib.pretrained.bert import hugging_face_config, to_hugging_face
from ttlib.pretrained.bert_folder import write_tokenizer
from ttlib.pretrained.folder import write_folder
from ttlib.text.wordpiece import WordPiece

KINDS = {  # our head → transformers' class, and its name of each of the head's layers
    FirstTokenHead: ("BertForSequenceClassification", {"bert.pooler.dense": "pooler", "classifier": "linear"}),
    TokenHead: ("BertForTokenClassification", {"classifier": "linear"}),
    SpanHead: ("BertForQuestionAnswering", {"qa_outputs": "linear"}),
}


def save_fine_tuned(folder: Path | str, model: BertWithHead, wordpiece: WordPiece, names: list[str]) -> Path:
    """Write a model with the head of a text, of tags or of spans; ``names`` are those of its classes or tags.

    Then ``from_pretrained(folder)`` of transformers' class for that task gives the same outputs. Its head for spans has
    two biases, which ours has not: they are 0, and would not change which token is best.

    Raises:
        InputError: the head has no counterpart in transformers, or there is not one name for each class.
    """
    if type(model.head) not in KINDS:
        kinds = ", ".join(kind.__name__ for kind in KINDS)
        raise InputError(f"model: got a {type(model.head).__name__}, need a head that transformers has: {kinds}")
    architecture, layers = KINDS[type(model.head)]
    weights = {f"bert.{name}": value for name, value in to_hugging_face(model.encoder).items()}
    own = model.head.state_dict()
    for theirs, ours in layers.items():
        weight = own[f"{ours}.weight"]
        weights |= {
            f"{theirs}.weight": weight,
            f"{theirs}.bias": own.get(f"{ours}.bias", weight.new_zeros(len(weight))),
        }
    n = len(own["linear.weight"])
    require(len(names) == n, "names", len(names), f"{n}, one for each class")
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    write_folder(folder, hugging_face_config(model.config) | {"architectures": [architecture]} | labels, weights)
    write_tokenizer(Path(folder), model.config, wordpiece)
    return Path(folder)
