"""Our Llama equals transformers': logits, gradients, weights both ways; no look ahead; a cache changes nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers.models.llama import modeling_llama

from tests.ttlib.torch_twins import randomise
from ttlib.errors import DataError, InputError
from ttlib.models.count import count_parameters
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.nn.feedforward import GeluFeedForward
from ttlib.nn.norms import LayerNorm
from ttlib.nn.positions import AttentionPositions
from ttlib.nn.rope import RotaryPositions, rotate_halves
from ttlib.pretrained.llama import (
    hugging_face_config,
    llama_config,
    llama_from,
    load_llama,
    our_names,
    save_llama,
    to_hugging_face,
)

CONFIG = LlamaConfig(vocab_size=50, d_model=32, n_heads=4, n_kv_heads=2, d_ff=48, n_layers=2, max_len=64, eps=0.01)
IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [2, 7, 1, 8, 2, 8, 1]])


class Float64Torch(SimpleNamespace):
    """Torch, but single precision means double: transformers' norm and angles are in float32 whatever the model is."""

    float = float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@contextmanager
def in_double() -> Iterator[None]:
    before = modeling_llama.torch
    modeling_llama.torch = Float64Torch()
    try:
        yield
    finally:
        modeling_llama.torch = before


def their_logits(ours: Llama, ids: torch.Tensor) -> tuple[torch.Tensor, transformers.LlamaForCausalLM]:
    with in_double():
        theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**hugging_face_config(ours.config))).double()
        missing, unknown = theirs.load_state_dict(to_hugging_face(ours), strict=False)
        assert unknown == []
        assert missing == (["lm_head.weight"] if ours.config.tied else [])
        theirs.tie_weights()
        return theirs(ids).logits, theirs


def summed_gradients(logits: torch.Tensor, model: nn.Module, names: list[str]) -> dict[str, torch.Tensor]:
    weight = torch.randn(logits.shape, generator=torch.Generator().manual_seed(1), dtype=logits.dtype)
    parameters = dict(model.named_parameters())
    values = torch.autograd.grad((logits * weight).sum(), [parameters[name] for name in names])
    return dict(zip(names, values, strict=True))


@settings(max_examples=12)
@given(
    heads=st.sampled_from([(4, 4), (4, 2), (4, 1), (2, 1)]), layers=st.integers(1, 3), d_ff=st.sampled_from([16, 80]),
    base=st.sampled_from([100.0, 10_000.0]), eps=st.sampled_from([1e-5, 0.1]), tied=st.booleans(),
    length=st.integers(1, 9), seed=st.integers(0, 99),
)  # fmt: skip
def test_llama_equals_transformers(
    heads: tuple[int, int], layers: int, d_ff: int, base: float, eps: float, tied: bool, length: int, seed: int
) -> None:
    sizes = {"n_heads": heads[0], "n_kv_heads": heads[1], "n_layers": layers, "d_ff": d_ff}
    config = replace(CONFIG, **sizes, rope_base=base, eps=eps, tied=tied)
    ours = randomise(Llama(config), seed)
    ids = torch.randint(50, (2, length), generator=torch.Generator().manual_seed(seed))
    a = ours(ids)
    b, theirs = their_logits(ours, ids)
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    names = our_names(config)
    mine = summed_gradients(a, ours, list(names.values()))
    others = summed_gradients(b, theirs, list(names))
    for name, gradient in others.items():
        torch.testing.assert_close(mine[names[name]], gradient, rtol=1e-9, atol=1e-10)


def no_positions(model: Llama) -> None:
    for block in model.blocks:
        block.self_attention.positions = AttentionPositions()


def other_layout(model: Llama) -> None:
    for block in model.blocks:
        block.self_attention.positions = RotaryPositions(8, CONFIG.rope_base)


def other_base(model: Llama) -> None:
    for block in model.blocks:
        block.self_attention.positions = RotaryPositions(8, 10_000.0, rotate_halves)


def eps_outside(model: Llama) -> None:
    for module in model.modules():
        if hasattr(module, "eps"):
            module.forward = lambda x, m=module: m.weight * x / (x.square().mean(-1, keepdim=True).sqrt() + m.eps)


def kv_heads_in_another_order(model: Llama) -> None:
    for block in model.blocks:
        for w in (block.self_attention.w_k, block.self_attention.w_v):
            w.weight.data = w.weight.data.unflatten(0, (2, -1)).flip(0).flatten(0, 1)


def gelu(model: Llama) -> None:
    for block in model.blocks:
        f = block.feed_forward
        f.forward = lambda x, f=f: f.w_2(nn.functional.gelu(f.w_gate(x)) * f.w_1(x))


def gate_and_value_changed_over(model: Llama) -> None:
    for block in model.blocks:
        f = block.feed_forward
        f.w_gate, f.w_1 = f.w_1, f.w_gate


def no_last_norm(model: Llama) -> None:
    model.norm = nn.Identity()


def layer_norm(model: Llama) -> None:
    for block in model.blocks:
        block.residual_1.norm = LayerNorm(32, CONFIG.eps).double()


def plain_feed_forward(model: Llama) -> None:
    model.blocks[0].feed_forward = GeluFeedForward(32, 48).double()


@pytest.mark.parametrize(
    "mutate",
    [
        no_positions, other_layout, other_base, eps_outside, kv_heads_in_another_order, gelu,
        gate_and_value_changed_over, no_last_norm, layer_norm, plain_feed_forward,
    ],
)  # fmt: skip
def test_llama_mutants_differ(mutate: Callable[[Llama], None]) -> None:
    ours = randomise(Llama(CONFIG))
    b, _ = their_logits(ours, IDS)
    torch.testing.assert_close(ours(IDS), b, rtol=1e-10, atol=1e-10)
    mutate(ours)
    assert (ours(IDS) - b).abs().max() > 1e-3


def test_the_twin_as_it_comes_differs_by_single_precision_only() -> None:
    """So raising its float32 parts to float64 has not hidden anything."""
    ours = randomise(Llama(CONFIG))
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**hugging_face_config(CONFIG))).double()
    theirs.load_state_dict(to_hugging_face(ours), strict=False)
    theirs.tie_weights()
    torch.testing.assert_close(ours(IDS), theirs(IDS).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_a_folder_goes_to_transformers_and_back(tied: bool, tmp_path: Path) -> None:
    ours = randomise(Llama(replace(CONFIG, tied=tied))).float()
    theirs = transformers.AutoModelForCausalLM.from_pretrained(save_llama(ours, tmp_path / "ours"))
    with torch.no_grad():
        torch.testing.assert_close(theirs(IDS).logits, ours(IDS), rtol=1e-4, atol=1e-4)
    theirs.save_pretrained(tmp_path / "theirs")
    again = load_llama(tmp_path / "theirs")
    assert again.config == ours.config
    assert not again.training
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in again.state_dict().items())


def test_nobody_sees_the_future() -> None:
    model = randomise(Llama(CONFIG))
    before = model(IDS)
    for place in range(IDS.size(1)):
        other = IDS.clone()
        other[:, place] = 11
        changed = (model(other) - before).abs().amax((0, 2)) > 1e-9
        assert not changed[:place].any()
        assert changed[place]


@pytest.mark.parametrize("first", [1, 4, 7])
def test_a_cache_changes_nothing(first: int) -> None:
    model = randomise(Llama(CONFIG))
    caches = model.new_caches()
    states = [model.states(IDS[:, :first], caches)]
    states += [model.states(IDS[:, t : t + 1], caches) for t in range(first, 7)]
    torch.testing.assert_close(torch.cat(states, 1), model.states(IDS), rtol=1e-10, atol=1e-10)
    assert caches[0].k is not None
    assert caches[0].k.shape == (2, 2, 7, 8)  # two heads, not four


def test_the_sizes_of_smollm2() -> None:
    with torch.device("meta"):
        model = Llama(LlamaConfig())
    assert count_parameters(model) == 134_515_008
    assert model.output_weight is model.tokens.weight
    untied = Llama(replace(CONFIG, tied=False))
    assert count_parameters(untied) == count_parameters(Llama(CONFIG)) + 50 * 32
    assert untied(IDS).shape == (2, 7, 50)


FIELDS = hugging_face_config(CONFIG)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(CONFIG, n_kv_heads=3), "n_kv_heads: got 3, need a divisor of 4"),
        (lambda: replace(CONFIG, n_heads=32), "d_head: got 1, need an even number"),
        (lambda: replace(CONFIG, rope_base=0.5), "rope_base: got 0.5, need a number above 1"),
        (lambda: replace(CONFIG, eps=0.0), "eps: got 0.0, need a positive number"),
        (lambda: llama_config({**FIELDS, "hidden_act": "gelu"}), "hidden_act: got 'gelu', need 'silu'"),
        (lambda: llama_config({**FIELDS, "attention_bias": True}), "attention_bias: got True, need False"),
        (lambda: llama_config({**FIELDS, "head_dim": 16}), "head_dim: got 16, need hidden_size / num_attention_heads"),
        (lambda: llama_config({**FIELDS, "rope_parameters": {"rope_type": "llama3"}}), "rope_type: got 'llama3', need"),
        (lambda: llama_config({"vocab_size": 5}), r"config: got \['vocab_size'\], need the field 'hidden_size'"),
        (lambda: llama_from(CONFIG, {}), "weights: of another configuration .* missing model.embed_tokens.weight"),
        (lambda: Llama(CONFIG)(torch.tensor([[50]])), "ids: got ids from 50 to 50, need 0 to 49"),
    ],
)
def test_bad_input(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_the_base_is_found_where_older_versions_keep_it() -> None:
    old = {name: value for name, value in FIELDS.items() if name != "rope_parameters"} | {"rope_theta": 500.0}
    assert llama_config(old).rope_base == 500.0


def test_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"llama: no config.json in .*; need a folder as transformers writes it"):
        load_llama(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        load_llama(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(FIELDS))
    with pytest.raises(DataError, match="no file .*model.safetensors"):
        load_llama(tmp_path)
