"""Weights of a BERT in Hugging Face's names, into our modules and back."""

from collections.abc import Mapping
from typing import Any

import torch

from ttlib.errors import require
from ttlib.models.bert import BertConfig, BertEncoder, BertMaskedLM, BertPretraining
from ttlib.train.checkpoint import check_names

EMBEDDING = {
    "word_embeddings.weight": "tokens.weight",
    "token_type_embeddings.weight": "segments.weight",
    "position_embeddings.weight": "positions.table",
    "LayerNorm.weight": "norm.weight",
    "LayerNorm.bias": "norm.bias",
}
BLOCK = {
    "attention.self.query": "self_attention.w_q",
    "attention.self.key": "self_attention.w_k",
    "attention.self.value": "self_attention.w_v",
    "attention.output.dense": "self_attention.w_o",
    "attention.output.LayerNorm": "residual_1.norm",
    "intermediate.dense": "feed_forward.w_1",
    "output.dense": "feed_forward.w_2",
    "output.LayerNorm": "residual_2.norm",
}
# In their files, but no part of the encoder: a layer on top of [CLS], and the numbers 0, 1, 2, …
NOT_ENCODER = ("pooler.dense.weight", "pooler.dense.bias", "embeddings.position_ids")
MASKED_TOKENS = {
    "transform.dense.weight": "dense.weight",
    "transform.dense.bias": "dense.bias",
    "transform.LayerNorm.weight": "norm.weight",
    "transform.LayerNorm.bias": "norm.bias",
    "bias": "bias",
}
NEXT_SENTENCE = {"bert.pooler.dense": "nsp.pooler", "cls.seq_relationship": "nsp.linear"}
# Second copies of the token table and of the head's bias, which some files hold and others do not.
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "bert.embeddings.position_ids")
OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}  # of norms, in the files of 2018
FIELDS = {
    "vocab_size": "vocab_size",
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "intermediate_size": "d_ff",
    "num_hidden_layers": "n_layers",
    "hidden_dropout_prob": "dropout",
    "max_position_embeddings": "max_len",
    "type_vocab_size": "n_segments",
    "layer_norm_eps": "eps",
    "pad_token_id": "pad_id",
}


def bert_config(fields: Mapping[str, Any]) -> BertConfig:
    """Our configuration from the fields of Hugging Face's ``config.json``.

    Raises:
        InputError: a field is missing, or asks for something else than BERT's GELU and absolute positions.
    """
    activation, positions = fields.get("hidden_act"), fields.get("position_embedding_type", "absolute")
    require(activation == "gelu", "hidden_act", activation, "gelu, BERT's own activation")
    require(positions == "absolute", "position_embedding_type", positions, "absolute, a learned vector per position")
    for theirs in FIELDS:
        require(theirs in fields, "config", sorted(fields), f"the field {theirs!r}")
    return BertConfig(**{ours: fields[theirs] for theirs, ours in FIELDS.items()})


def our_names(n_layers: int) -> dict[str, str]:
    """Their name of every parameter → ours."""
    names = {f"embeddings.{theirs}": f"embedding.{ours}" for theirs, ours in EMBEDDING.items()}
    for layer in range(n_layers):
        for theirs, ours in BLOCK.items():
            for kind in ("weight", "bias"):
                names[f"encoder.layer.{layer}.{theirs}.{kind}"] = f"blocks.{layer}.{ours}.{kind}"
    return names


def hugging_face_config(config: BertConfig) -> dict[str, Any]:
    """The fields of ``config.json`` for our configuration: with them, `transformers` builds the same model."""
    fixed = {"model_type": "bert", "hidden_act": "gelu", "attention_probs_dropout_prob": 0.0}
    return fixed | {theirs: getattr(config, ours) for theirs, ours in FIELDS.items()}


def our_head_names(model: BertMaskedLM) -> dict[str, str]:
    """Their name → ours for every parameter of a model with one or both of the heads for pretraining."""
    names = {f"bert.{theirs}": f"encoder.{ours}" for theirs, ours in our_names(model.config.n_layers).items()}
    names |= {f"cls.predictions.{theirs}": f"mlm.{ours}" for theirs, ours in MASKED_TOKENS.items()}
    if isinstance(model, BertPretraining):
        names |= {f"{a}.{kind}": f"{b}.{kind}" for a, b in NEXT_SENTENCE.items() for kind in ("weight", "bias")}
    return names


def heads_to_hugging_face(model: BertMaskedLM) -> dict[str, torch.Tensor]:
    """A model's weights in the names of their BertForMaskedLM or BertForPreTraining."""
    own = model.state_dict()
    return {theirs: own[ours] for theirs, ours in our_head_names(model).items()}


def load_bert_heads(model: BertMaskedLM, weights: Mapping[str, torch.Tensor]) -> None:
    """Load weights of a BertForMaskedLM or BertForPreTraining, all or nothing; norms may bear their names of 2018.

    Raises:
        InputError: naming the first (in Hugging Face's names) that are missing, unknown or of another shape.
    """
    kept: dict[str, torch.Tensor] = {}
    for name, value in weights.items():
        for old, new in OLD_NAMES.items():
            name = name.removesuffix(old) + new if name.endswith(old) else name
        if name not in TIED:
            kept[name] = value
    names = our_head_names(model)
    check_names(heads_to_hugging_face(model), kept, "weights")
    model.load_state_dict({names[name]: value for name, value in kept.items()})


def load_bert(model: BertEncoder, weights: Mapping[str, torch.Tensor]) -> None:
    """Load weights that bear Hugging Face's names into our encoder. Nothing is loaded if one does not fit.

    Raises:
        InputError: naming the first (in Hugging Face's names) that are missing, unknown or of another shape.
    """
    weights = {name: value for name, value in weights.items() if name not in NOT_ENCODER}
    check_names(to_hugging_face(model), weights, "weights")
    names = our_names(model.config.n_layers)
    model.load_state_dict({names[name]: value for name, value in weights.items()})


def to_hugging_face(model: BertEncoder) -> dict[str, torch.Tensor]:
    """Our encoder's weights in Hugging Face's names (without their pooler, which we do not have)."""
    own = model.state_dict()
    return {theirs: own[ours] for theirs, ours in our_names(model.config.n_layers).items()}
