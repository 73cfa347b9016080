"""Weights of a GPT in Hugging Face's GPT-2 format, into our modules and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ttlib.errors import require
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.pretrained.folder import write_folder
from ttlib.train.checkpoint import MODEL, check_names, read_config, read_weights

FIELDS = {
    "vocab_size": "vocab_size",
    "n_embd": "d_model",
    "n_head": "n_heads",
    "n_layer": "n_layers",
    "n_positions": "max_len",
    "resid_pdrop": "dropout",
    "layer_norm_epsilon": "eps",
}
# What a GPT-2 may have otherwise, and what ours is; files leave out what is usual.
ALIKE = {
    "activation_function": "gelu_new",  # by tanh
    "tie_word_embeddings": True,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}
NORMS = {"ln_1": "residual_1.norm", "ln_2": "residual_2.norm"}
# Their matrices are (in, out), ours (out, in); queries, keys and values are one of theirs.
LAYERS = {
    "attn.c_attn": ("self_attention.w_q", "self_attention.w_k", "self_attention.w_v"),
    "attn.c_proj": ("self_attention.w_o",),
    "mlp.c_fc": ("feed_forward.w_1",),
    "mlp.c_proj": ("feed_forward.w_2",),
}
ENDS = {
    "wte.weight": "tokens.weight",
    "wpe.weight": "positions.table",
    "ln_f.weight": "norm.weight",
    "ln_f.bias": "norm.bias",
}
BUFFERS = (".attn.bias", ".attn.masked_bias")  # in old files: the causal mask, no weight


def gpt2_config(fields: Mapping[str, Any]) -> GPTConfig:
    """Our configuration from the fields of Hugging Face's ``config.json``.

    Raises:
        InputError: a field is missing, or asks for something that our GPT is not.
    """
    for theirs in FIELDS:
        require(theirs in fields, "config", sorted(fields), f"the field {theirs!r}")
    for name, value in ALIKE.items():
        require(fields.get(name, value) == value, name, fields.get(name), f"{value!r}, as in our GPT")
    sizes = {ours: fields[theirs] for theirs, ours in FIELDS.items()}
    return GPTConfig(**sizes, d_ff=fields.get("n_inner") or 4 * sizes["d_model"])


def hugging_face_config(config: GPTConfig, end_id: int | None = None) -> dict[str, Any]:
    """The fields of ``config.json`` for our configuration. ``end_id`` is the token that ends a text, if any."""
    sizes = {theirs: getattr(config, ours) for theirs, ours in FIELDS.items()}
    rest = {"n_inner": config.d_ff, "embd_pdrop": config.dropout, "attn_pdrop": 0.0}
    kind = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "dtype": "float32"}
    return {**kind, **sizes, **rest, **ALIKE, "bos_token_id": end_id, "eos_token_id": end_id}


def to_hugging_face(model: GPT) -> dict[str, torch.Tensor]:
    """Our weights in Hugging Face's names and shapes. The head is the table ``wte``: it is not written twice."""
    own = model.state_dict()
    weights = {f"transformer.{theirs}": own[ours] for theirs, ours in ENDS.items()}
    for i in range(model.config.n_layers):
        there, here = f"transformer.h.{i}", f"blocks.{i}"
        for kind in ("weight", "bias"):
            weights |= {f"{there}.{theirs}.{kind}": own[f"{here}.{ours}.{kind}"] for theirs, ours in NORMS.items()}
        for theirs, ours in LAYERS.items():
            weights[f"{there}.{theirs}.weight"] = torch.cat([own[f"{here}.{name}.weight"] for name in ours]).T
            weights[f"{there}.{theirs}.bias"] = torch.cat([own[f"{here}.{name}.bias"] for name in ours])
    return weights


def gpt2_from(config: GPTConfig, weights: Mapping[str, torch.Tensor]) -> GPT:
    """A model in eval mode with weights that are given in Hugging Face's names; no others are drawn before.

    Raises:
        InputError: naming the first weights that are missing, unknown or of another shape; or the output projection
            is another than the table of embeddings.
    """
    with torch.device("meta"):
        model = GPT(config)
    weights = {_full_name(name): value for name, value in weights.items() if not name.endswith(BUFFERS)}
    check_names(to_hugging_face(model), {k: v for k, v in weights.items() if k != "lm_head.weight"}, "weights")
    table = weights["transformer.wte.weight"]
    tied = torch.equal(weights.get("lm_head.weight", table), table)
    require(tied, "lm_head.weight", "other numbers than wte.weight", "the same table: our GPT has only one")
    model.load_state_dict(_from_hugging_face(weights, config.n_layers), assign=True)
    return model.eval()


def _full_name(name: str) -> str:
    """OpenAI's own file has the names without the prefix."""
    return name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}"


def _from_hugging_face(weights: Mapping[str, torch.Tensor], n_layers: int) -> dict[str, torch.Tensor]:
    """The way back from `to_hugging_face`."""
    own = {ours: weights[f"transformer.{theirs}"] for theirs, ours in ENDS.items()}
    for i in range(n_layers):
        there, here = f"transformer.h.{i}", f"blocks.{i}"
        for kind in ("weight", "bias"):
            own |= {f"{here}.{ours}.{kind}": weights[f"{there}.{theirs}.{kind}"] for theirs, ours in NORMS.items()}
            for theirs, ours in LAYERS.items():
                parts = weights[f"{there}.{theirs}.{kind}"].chunk(len(ours), -1)
                own |= {f"{here}.{name}.{kind}": part.t().contiguous() for name, part in zip(ours, parts, strict=True)}
    return own


def save_gpt2(model: GPT, folder: Path | str, end_id: int | None = None) -> Path:
    """Write a folder that transformers' ``GPT2LMHeadModel`` opens."""
    return write_folder(folder, hugging_face_config(model.config, end_id), to_hugging_face(model))


def load_gpt2(folder: Path | str) -> GPT:
    """The model of such a folder, ours or transformers' own, in eval mode on the CPU.

    Raises:
        DataError: a file is missing or damaged.
        InputError: the model is none of ours, or the weights are of another configuration.
    """
    folder = Path(folder)
    return gpt2_from(gpt2_config(read_config(folder)), read_weights(folder / MODEL))
