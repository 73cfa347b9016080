"""GGUF, the one-file format of llama.cpp: sizes, vocabulary and weights, mostly in four or eight bits per number.

Read by the library `gguf`, which is needed only here. Its own functions undo the quantisation.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ttlib.errors import DataError, require
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.nn.rope import pairs_to_halves
from ttlib.pretrained.llama import llama_from
from ttlib.shapes import Float, Tensor
from ttlib.text.splitting import Bytes, BytesAndDigits
from ttlib.text.tokeniser import BPE

INSTALL = "pip install --no-deps gguf==0.19.0"
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
BLOCK = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
SIZES = {
    "llama.embedding_length": "d_model",
    "llama.attention.head_count": "n_heads",
    "llama.attention.head_count_kv": "n_kv_heads",
    "llama.feed_forward_length": "d_ff",
    "llama.block_count": "n_layers",
    "llama.context_length": "max_len",
    "llama.attention.layer_norm_rms_epsilon": "eps",
    "llama.rope.freq_base": "rope_base",
}
SPLITTERS = {"gpt-2": Bytes, "smollm": BytesAndDigits}
CONTROL = 3  # llama.cpp's number for a token that stands for no text


class GGUF(NamedTuple):
    """What is in a file: its fields by name, and its tensors, no longer quantised, by llama.cpp's names."""

    fields: dict[str, Any]
    tensors: dict[str, Tensor]


def read_gguf(path: Path | str, dtype: torch.dtype = torch.float32) -> GGUF:
    """Read a whole file; tensors come out in ``dtype``.

    Raises:
        DataError: the library `gguf` is not installed, the file is no GGUF, or a tensor is quantised in a way that the
            library cannot undo.
    """
    try:
        import gguf
    except ImportError as error:
        raise DataError(f"gguf: the package 'gguf' is not installed; run: {INSTALL}") from error
    if not Path(path).is_file():
        raise DataError(f"gguf: no file {path}")
    try:
        reader = gguf.GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        arrays = ((t.name, gguf.dequantize(t.data, t.tensor_type)) for t in reader.tensors)
        # From the file's own memory, which cannot be written to, to torch's.
        tensors = {name: torch.tensor(array, dtype=dtype) for name, array in arrays}
    except (ValueError, IndexError, KeyError, NotImplementedError) as error:
        raise DataError(f"gguf: cannot read {path}: {error}") from error
    return GGUF(fields, tensors)


def gguf_llama_config(file: GGUF) -> LlamaConfig:
    """Our sizes from the file's fields.

    Raises:
        InputError: it is another architecture, a field is missing, or positions are stretched or turn a part of a head.
    """
    fields = file.fields
    kind = fields.get("general.architecture")
    require(kind == "llama", "general.architecture", kind, "'llama'")
    for name in (*SIZES, "tokenizer.ggml.tokens"):
        require(name in fields, "fields", sorted(fields), f"the field {name!r}")
    stretched = [name for name in fields if name.startswith("llama.rope.scaling")]
    require(not stretched, "llama.rope.scaling", stretched, "none: positions as they are")
    sizes = {ours: fields[theirs] for theirs, ours in SIZES.items()}
    sizes["eps"] = float(f"{sizes['eps']:.6g}")  # 1e-5 in single precision is 9.99999974e-06
    tied = "output.weight" not in file.tensors
    config = LlamaConfig(vocab_size=len(fields["tokenizer.ggml.tokens"]), tied=tied, **sizes)
    turned = fields.get("llama.rope.dimension_count", config.d_head)
    require(turned == config.d_head, "llama.rope.dimension_count", turned, f"d_head = {config.d_head}")
    return config


def gguf_llama_weights(tensors: Mapping[str, Tensor], config: LlamaConfig) -> dict[str, Tensor]:
    """The same weights under Hugging Face's names and in their layout of rotary positions.

    llama.cpp turns the numbers 0 and 1, 2 and 3, … of a head; Hugging Face 0 and K/2, 1 and K/2 + 1, …. So the K
    output rows of each head in W_Q and in W_K change places; the scores stay as they are.
    """
    weights = {}
    for name, value in tensors.items():
        if name.startswith("blk."):
            _, layer, part, kind = name.split(".")
            heads = {"attn_q": config.n_heads, "attn_k": config.n_kv_heads}.get(part)
            theirs = f"model.layers.{layer}.{BLOCK.get(part, part)}.{kind}"
            weights[theirs] = value if heads is None else rows_to_halves(value, heads)
        else:
            part, _, kind = name.rpartition(".")
            weights[f"{WHOLE.get(part, part)}.{kind}"] = value
    return weights


def rows_to_halves(weight: Float[Tensor, "O D"], n_heads: int) -> Float[Tensor, "O D"]:
    """A layer's output rows, head by head, from pairs to halves (`ttlib.nn.rope.pairs_to_halves`)."""
    rows = weight.unflatten(0, (n_heads, -1))  # (H, K, D)
    return pairs_to_halves(rows.transpose(1, 2)).transpose(1, 2).flatten(0, 1)


def gguf_llama(file: GGUF) -> Llama:
    """The file's model in our modules, in eval mode.

    Raises:
        InputError: it is not a Llama that we can build.
    """
    config = gguf_llama_config(file)
    return llama_from(config, gguf_llama_weights(file.tensors, config))


def gguf_tokeniser(fields: Mapping[str, Any]) -> BPE:
    """The file's byte-level BPE in our own class. Control tokens, such as ``<|im_start|>``, are its specials.

    Raises:
        InputError: the vocabulary is not byte-level BPE, or its way to cut a text into words is not built here.
    """
    kind, splitter = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre", "")
    require(kind == "gpt2", "tokenizer.ggml.model", kind, "'gpt2', byte-level BPE")
    require(splitter in SPLITTERS, "tokenizer.ggml.pre", splitter, f"one of {', '.join(SPLITTERS)}")
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    specials = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    merges = [(a, b) for a, b in (line.split(" ") for line in fields["tokenizer.ggml.merges"])]
    unk = fields.get("tokenizer.ggml.unknown_token_id")
    vocab = {token: i for i, token in enumerate(tokens)}
    return BPE(SPLITTERS[splitter](), vocab, merges, specials, None if unk is None else tokens[unk])
