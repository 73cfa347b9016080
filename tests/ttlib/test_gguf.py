"""GGUF: a file written by the library from transformers' weights gives our model back; what cannot be read says why."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
import transformers

from tests.ttlib.torch_twins import randomise
from ttlib.errors import DataError, InputError
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.nn.rope import RotaryPositions, rotate_pairs
from ttlib.pretrained.gguf import (
    BLOCK,
    GGUF,
    WHOLE,
    gguf_llama,
    gguf_llama_config,
    gguf_tokeniser,
    read_gguf,
    rows_to_halves,
)
from ttlib.pretrained.llama import hugging_face_config, to_hugging_face
from ttlib.text.splitting import Bytes, BytesAndDigits, byte_characters

CONFIG = LlamaConfig(vocab_size=262, d_model=64, n_heads=4, n_kv_heads=2, d_ff=96, n_layers=2, max_len=64, eps=1e-5)
IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [2, 7, 1, 8, 2, 8, 1]])
TOKENS = ["<|im_start|>", "<|im_end|>", *sorted(byte_characters()), "ab", "abc", "Ġa", "Ġab"]
MERGES = ["a b", "ab c", "Ġ a", "Ġa b"]


def llama_cpp_rows(weight: torch.Tensor, n_heads: int) -> torch.Tensor:
    """What llama.cpp's converter does to W_Q and W_K (its `permute`, written from its description)."""
    out, d = weight.shape
    return weight.reshape(n_heads, 2, out // n_heads // 2, d).swapaxes(1, 2).reshape(out, d)


def write(path: Path, model: Llama, **changes: Any) -> Path:
    """A GGUF file of our model, made by the library; weights of blocks in eight bits if ``quantised``."""
    c, back = model.config, {theirs: ours for ours, theirs in (BLOCK | WHOLE).items()}
    writer = gguf.GGUFWriter(path, changes.get("architecture", "llama"))
    for add, value in (
        (writer.add_embedding_length, c.d_model),
        (writer.add_head_count, c.n_heads),
        (writer.add_head_count_kv, c.n_kv_heads),
        (writer.add_feed_forward_length, c.d_ff),
        (writer.add_block_count, c.n_layers),
        (writer.add_context_length, c.max_len),
        (writer.add_layer_norm_rms_eps, c.eps),
        (writer.add_rope_freq_base, c.rope_base),
        (writer.add_tokenizer_model, "gpt2"),
        (writer.add_tokenizer_pre, changes.get("pre", "smollm")),
        (writer.add_token_list, TOKENS),
        (writer.add_token_types, [3, 3] + [1] * 260),
        (writer.add_token_merges, MERGES),
    ):
        add(value)
    for name, value in to_hugging_face(model).items():
        part = name.removeprefix("model.").removesuffix(".weight")
        if part.startswith("layers."):
            _, layer, part = part.split(".", 2)
            heads = {"self_attn.q_proj": c.n_heads, "self_attn.k_proj": c.n_kv_heads}.get(part)
            value = value if heads is None else llama_cpp_rows(value, heads)
            theirs = f"blk.{layer}.{back[part]}.weight"
        else:
            theirs = f"{back.get(part, back.get('model.' + part))}.weight"
        kind = gguf.GGMLQuantizationType.Q8_0 if changes.get("quantised") and value.ndim == 2 else None
        data = value.float().numpy()
        writer.add_tensor(theirs, data if kind is None else gguf.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        out = model(IDS)
    return out if isinstance(out, torch.Tensor) else out.logits


@pytest.mark.parametrize("tied", [True, False])
def test_gguf_file_equals_transformers(tied: bool, tmp_path: Path) -> None:
    ours = randomise(Llama(replace(CONFIG, tied=tied))).float()
    read = gguf_llama(read_gguf(write(tmp_path / "a.gguf", ours)))
    assert read.config == ours.config
    assert not read.training
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in read.state_dict().items())
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**hugging_face_config(ours.config)))
    theirs.load_state_dict(to_hugging_face(read), strict=False)
    theirs.tie_weights()
    torch.testing.assert_close(logits(read), logits(theirs), rtol=1e-4, atol=1e-4)


def test_gguf_mutant_layouts_differ(tmp_path: Path) -> None:
    """Rows left as they lie in the file are right only if the pairs are turned as the file means them."""
    ours = randomise(Llama(CONFIG)).float()
    file = read_gguf(write(tmp_path / "a.gguf", ours))
    right = logits(gguf_llama(file))
    left = gguf_llama(file)
    for i, block in enumerate(left.blocks):
        for layer, name in ((block.self_attention.w_q, "attn_q"), (block.self_attention.w_k, "attn_k")):
            layer.weight.data = file.tensors[f"blk.{i}.{name}.weight"]
    assert (logits(left) - right).abs().max() > 1e-2
    for block in left.blocks:
        block.self_attention.positions = RotaryPositions(16, CONFIG.rope_base, rotate_pairs)
    torch.testing.assert_close(logits(left), right, rtol=1e-4, atol=1e-4)


def test_rows_come_back() -> None:
    weight = torch.randn(24, 5)
    assert torch.equal(rows_to_halves(llama_cpp_rows(weight, 3), 3), weight)
    assert not torch.equal(rows_to_halves(llama_cpp_rows(weight, 3), 1), weight)


def test_quantised_weights_are_near_and_keep_the_asked_dtype(tmp_path: Path) -> None:
    ours = randomise(Llama(CONFIG)).float()
    path = write(tmp_path / "a.gguf", ours, quantised=True)
    read = gguf_llama(read_gguf(path))
    for name, value in ours.state_dict().items():
        step = value.abs().max() / 127
        assert (read.state_dict()[name] - value).abs().max() <= step
    assert path.stat().st_size < 0.5 * sum(p.numel() * 4 for p in ours.parameters())
    assert read_gguf(path, torch.bfloat16).tensors["token_embd.weight"].dtype == torch.bfloat16


def test_the_tokeniser(tmp_path: Path) -> None:
    model = Llama(CONFIG)
    tokeniser = gguf_tokeniser(read_gguf(write(tmp_path / "a.gguf", model)).fields)
    assert isinstance(tokeniser.splitter, BytesAndDigits)
    assert tokeniser.pieces("ab abc 12") == ["ab", "Ġ", "abc", "Ġ", "1", "2"]
    assert tokeniser.specials == ("<|im_start|>", "<|im_end|>")
    plain = gguf_tokeniser(read_gguf(write(tmp_path / "b.gguf", model, pre="gpt-2")).fields)
    assert type(plain.splitter) is Bytes


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> GGUF:
    return read_gguf(write(tmp_path_factory.mktemp("gguf") / "a.gguf", Llama(CONFIG)))


@pytest.mark.parametrize(
    ("changes", "call", "message"),
    [
        ({"general.architecture": "qwen2"}, gguf_llama_config, "general.architecture: got 'qwen2', need 'llama'"),
        ({"llama.rope.freq_base": None}, gguf_llama_config, "need the field 'llama.rope.freq_base'"),
        ({"llama.rope.scaling.type": "yarn"}, gguf_llama_config, r"llama.rope.scaling: got \['llama.rope.scaling.type"),
        ({"llama.rope.dimension_count": 8}, gguf_llama_config, "llama.rope.dimension_count: got 8, need d_head = 16"),
        ({"llama.block_count": 3}, gguf_llama, "missing model.layers.2.self_attn.q_proj.weight"),
        ({"llama.block_count": 1}, gguf_llama, "unknown model.layers.1."),
        (
            {"tokenizer.ggml.model": "llama"},
            lambda file: gguf_tokeniser(file.fields),
            "tokenizer.ggml.model: got 'llama', need 'gpt2'",
        ),
        (
            {"tokenizer.ggml.pre": "qwen2"},
            lambda file: gguf_tokeniser(file.fields),
            "tokenizer.ggml.pre: got 'qwen2', need one of gpt-2, smollm",
        ),
    ],
)
def test_bad_files(small: GGUF, changes: dict[str, Any], call: Callable[[GGUF], object], message: str) -> None:
    fields = {name: value for name, value in (small.fields | changes).items() if value is not None}
    with pytest.raises(InputError, match=message):
        call(GGUF(fields, small.tensors))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(DataError) as caught:
        read_gguf("a.gguf")
    need = "run: pip install --no-deps gguf==0.19.0"
    assert str(caught.value) == f"gguf: the package 'gguf' is not installed; {need}"


def test_no_file_and_no_gguf(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gguf: no file"):
        read_gguf(tmp_path / "a.gguf")
    (tmp_path / "a.gguf").write_bytes(b"what is this?" * 10)
    with pytest.raises(DataError, match=r"gguf: cannot read .*a.gguf: "):
        read_gguf(tmp_path / "a.gguf")
