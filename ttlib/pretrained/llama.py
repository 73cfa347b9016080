"""Weights of a Llama in Hugging Face's names, into our modules and back; a folder that `transformers` can load."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ttlib.errors import DataError, require
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.pretrained.folder import write_folder
from ttlib.train.checkpoint import CONFIG, MODEL, check_names, read_weights

BLOCK = {
    "self_attn.q_proj": "self_attention.w_q",
    "self_attn.k_proj": "self_attention.w_k",
    "self_attn.v_proj": "self_attention.w_v",
    "self_attn.o_proj": "self_attention.w_o",
    "mlp.gate_proj": "feed_forward.w_gate",
    "mlp.up_proj": "feed_forward.w_1",
    "mlp.down_proj": "feed_forward.w_2",
    "input_layernorm": "residual_1.norm",
    "post_attention_layernorm": "residual_2.norm",
}
FIELDS = {
    "vocab_size": "vocab_size",
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "num_key_value_heads": "n_kv_heads",
    "intermediate_size": "d_ff",
    "num_hidden_layers": "n_layers",
    "max_position_embeddings": "max_len",
    "rms_norm_eps": "eps",
    "tie_word_embeddings": "tied",
}
FIXED = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}  # what our Llama has no choice of


def llama_config(fields: Mapping[str, Any]) -> LlamaConfig:
    """Our configuration from the fields of Hugging Face's ``config.json``.

    Raises:
        InputError: a field is missing, or asks for something that our Llama does not have: another activation,
            biases, a head of another width than d_model / n_heads, positions that are stretched.
    """
    for theirs in FIELDS:
        require(theirs in fields, "config", sorted(fields), f"the field {theirs!r}")
    for name, value in FIXED.items():
        require(fields.get(name, value) == value, name, fields.get(name), repr(value))
    rope = dict(fields.get("rope_parameters") or fields.get("rope_scaling") or {})
    kind = rope.get("rope_type", "default")
    require(kind == "default", "rope_type", kind, "'default', positions as they are")
    base = rope.get("rope_theta", fields.get("rope_theta", 10_000.0))
    config = LlamaConfig(**{ours: fields[theirs] for theirs, ours in FIELDS.items()}, rope_base=float(base))
    d_head = fields.get("head_dim") or config.d_head
    require(d_head == config.d_head, "head_dim", d_head, f"hidden_size / num_attention_heads = {config.d_head}")
    return config


def hugging_face_config(config: LlamaConfig) -> dict[str, Any]:
    """The fields of Hugging Face's ``config.json`` for our sizes."""
    sizes = {theirs: getattr(config, ours) for theirs, ours in FIELDS.items()}
    rope = {"rope_type": "default", "rope_theta": config.rope_base}
    names = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "float32"}
    # rope_theta stands there twice: older versions of transformers look for it outside.
    return names | sizes | FIXED | {"rope_parameters": rope, "rope_theta": config.rope_base}


def our_names(config: LlamaConfig) -> dict[str, str]:
    """Their name of every parameter → ours."""
    names = {"model.embed_tokens.weight": "tokens.weight"}
    for layer in range(config.n_layers):
        for theirs, ours in BLOCK.items():
            names[f"model.layers.{layer}.{theirs}.weight"] = f"blocks.{layer}.{ours}.weight"
    names["model.norm.weight"] = "norm.weight"
    return names if config.tied else names | {"lm_head.weight": "head.weight"}


def llama_from(config: LlamaConfig, weights: Mapping[str, torch.Tensor]) -> Llama:
    """A model in eval mode that holds these very tensors, given in Hugging Face's names; nothing is drawn or copied.

    Raises:
        InputError: naming the first weights that are missing, unknown or of another shape.
    """
    with torch.device("meta"):
        model = Llama(config)
    if config.tied:  # some files have the table twice
        weights = {name: value for name, value in weights.items() if name != "lm_head.weight"}
    check_names(to_hugging_face(model), weights, "weights")
    names = our_names(config)
    model.load_state_dict({names[name]: value for name, value in weights.items()}, assign=True)
    return model.eval()


def to_hugging_face(model: Llama) -> dict[str, torch.Tensor]:
    """Our weights in Hugging Face's names."""
    own = model.state_dict()
    return {theirs: own[ours] for theirs, ours in our_names(model.config).items()}


def save_llama(model: Llama, folder: Path | str) -> Path:
    """Write ``config.json`` and ``model.safetensors``: a folder that `transformers` loads."""
    dtype = str(model.output_weight.dtype).removeprefix("torch.")
    return write_folder(folder, hugging_face_config(model.config) | {"dtype": dtype}, to_hugging_face(model))


def load_llama(folder: Path | str) -> Llama:
    """The model of such a folder, ours or `transformers`' own, in eval mode on the CPU.

    Raises:
        DataError: a file is missing or damaged.
        InputError: the model is not a Llama that we can build.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise DataError(f"llama: no {CONFIG} in {folder}; need a folder as transformers writes it")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"llama: {path} is not JSON: {error}") from error
    return llama_from(llama_config(fields), read_weights(Path(folder) / MODEL))
