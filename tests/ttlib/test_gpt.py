"""Our GPT equals transformers' GPT-2 in logits and all gradients; names and folders go there and back."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import grads, randomise
from ttlib.errors import DataError, InputError
from ttlib.generate.sample import generate
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.nn.blocks import PostNorm
from ttlib.nn.feedforward import FeedForward, GeluFeedForward
from ttlib.pretrained.gpt2 import gpt2_config, gpt2_from, hugging_face_config, load_gpt2, save_gpt2, to_hugging_face

SMALL = {"vocab_size": 40, "d_model": 32, "n_heads": 4, "d_ff": 48, "n_layers": 3, "max_len": 24, "dropout": 0.0}


def config(**changes: int | float) -> GPTConfig:
    return GPTConfig(**{**SMALL, **changes})


def twins(ours: GPTConfig, seed: int = 0, talks: bool = False) -> tuple[GPT, transformers.GPT2LMHeadModel]:
    mine = randomise(GPT(ours), seed).eval()
    if talks:  # the last bias would make every text repeat one word
        nn.init.zeros_(mine.norm.bias)
    fields = transformers.GPT2Config(**hugging_face_config(ours), attn_implementation="eager")
    theirs = transformers.GPT2LMHeadModel(fields).double().eval()
    weights = to_hugging_face(mine)
    theirs.load_state_dict(weights | {"lm_head.weight": weights["transformer.wte.weight"]}, strict=True)
    return mine, theirs


def some_ids(batch: int = 3, t: int = 7, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 40, (batch, t), generator=torch.Generator().manual_seed(seed))


@settings(max_examples=12)
@given(
    batch=st.integers(1, 3), t=st.integers(1, 8), heads=st.sampled_from([1, 2, 8]), layers=st.integers(1, 3),
    eps=st.sampled_from([1e-5, 0.1]), seed=st.integers(0, 99),
)  # fmt: skip
def test_gpt_equals_transformers(batch: int, t: int, heads: int, layers: int, eps: float, seed: int) -> None:
    ours, theirs = twins(config(n_heads=heads, n_layers=layers, eps=eps), seed)
    ids = some_ids(batch, t, seed)
    a, b = ours(ids), theirs(ids).logits
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    mine = dict(zip(names := list(dict(ours.named_parameters())), grads(a, list(ours.parameters())), strict=True))
    assert set(names) == set(ours.state_dict())
    other = dict(theirs.named_parameters())
    found = dict(zip(other, grads(b, list(other.values())), strict=True))
    gradients = gpt2_from(ours.config, found)  # a gradient has its weight's name and shape
    torch.testing.assert_close(mine, dict(gradients.named_parameters()), rtol=1e-9, atol=1e-10, check_stride=False)


def other_activation(kind: type[FeedForward], model: GPT) -> None:
    for block in model.blocks:
        block.feed_forward.__class__ = kind


def post_norm(model: GPT) -> None:
    model.blocks[1].residual_2.__class__ = PostNorm


def no_positions(model: GPT) -> None:
    nn.init.zeros_(model.positions.table)


def shifted_positions(model: GPT) -> None:
    good = model.positions.forward
    model.positions.forward = lambda x, start=0: good(x, start + 1)


def no_last_norm(model: GPT) -> None:
    model.norm = nn.Identity()


def other_eps(model: GPT) -> None:
    for module in model.modules():
        if hasattr(module, "eps"):
            module.eps = 1e-2


def no_mask(model: GPT) -> None:
    for block in model.blocks:
        good = block.self_attention.forward
        block.self_attention.forward = lambda x, memory, mask, cache, good=good: good(x, memory, None, cache)


def scaled_embedding(model: GPT) -> None:
    good = model.tokens.forward
    model.tokens.forward = lambda ids: good(ids) * 32**0.5


def swapped_keys(model: GPT) -> None:
    layer = model.blocks[0].self_attention
    layer.w_q, layer.w_k = layer.w_k, layer.w_q


# What the logits must at least differ by: tanh's gelu is wrong by less than 0.0005 before W_2.
MUTANTS: dict[Callable[[GPT], None], float] = {
    partial(other_activation, GeluFeedForward): 1e-6,
    partial(other_activation, FeedForward): 1e-2,
    post_norm: 1e-2,
    no_positions: 1e-2,
    shifted_positions: 1e-2,
    no_last_norm: 1e-2,
    other_eps: 1e-4,
    no_mask: 1e-2,
    scaled_embedding: 1e-2,
    swapped_keys: 1e-2,
}


@pytest.mark.parametrize("break_it", MUTANTS)
def test_gpt_mutants_differ(break_it: Callable[[GPT], None]) -> None:
    ours, theirs = twins(config())
    ids = some_ids()
    b = theirs(ids).logits
    torch.testing.assert_close(ours(ids), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    assert (ours(ids) - b).abs().max() > MUTANTS[break_it]


@pytest.mark.parametrize("t", range(1, 7))
def test_no_token_sees_a_later_one(t: int) -> None:
    model = twins(config())[0]
    ids = some_ids()
    changed = ids.clone()
    changed[:, t] = (changed[:, t] + 1) % 40
    difference = (model(ids) - model(changed)).abs().amax((0, 2))
    assert difference[:t].max() == 0
    assert difference[t:].min() > 1e-3


def test_gpt2_begins_as_gpt2_does() -> None:
    model = GPT(config(d_model=256, d_ff=1024, n_layers=8))
    for name, value in model.named_parameters():
        if value.ndim == 2:
            adds = name.endswith(("w_o.weight", "w_2.weight"))
            assert value.std().item() == pytest.approx(0.02 / 4 if adds else 0.02, rel=0.05)
        else:
            assert torch.equal(value, torch.full_like(value, float("norm.weight" in name)))
    assert sum(p.numel() for p in GPT(GPTConfig()).parameters()) == 124_439_808  # GPT-2, the smallest


def test_dropout_acts_in_training_alone() -> None:
    model, ids = GPT(config(dropout=0.5)), some_ids()
    assert not torch.equal(model(ids), model(ids))
    model.eval()
    assert torch.equal(model(ids), model(ids))


@pytest.mark.parametrize("length", [1, 5])
def test_generation_equals_transformers(length: int) -> None:
    """With an end token that comes in some rows."""
    ours, theirs = twins(config(), talks=True)
    ids = some_ids(6, length)
    plain = generate(ours, ids.tolist(), 12)
    stop = plain[0][6]
    found = generate(ours, ids.tolist(), 12, stop=(stop,))
    assert len({len(row) for row in found}) > 1
    asked = {"do_sample": False, "max_new_tokens": 12, "eos_token_id": stop, "pad_token_id": stop}
    with torch.no_grad():
        other = theirs.generate(ids, attention_mask=torch.ones_like(ids), **asked)
    assert [row[length:] for row in other.tolist()] == [
        row + [stop] * (other.size(1) - length - len(row)) for row in found
    ]


def test_generation_mutant_differs() -> None:
    ours, ids = twins(config(), talks=True)[0], some_ids(6, 5).tolist()
    plain = generate(ours, ids, 12)
    no_positions(ours)
    assert generate(ours, ids, 12) != plain


def test_a_folder_that_transformers_opens(tmp_path: Path) -> None:
    ours = randomise(GPT(config(d_ff=100))).float().eval()
    theirs, log = transformers.GPT2LMHeadModel.from_pretrained(
        save_gpt2(ours, tmp_path / "a", 3), output_loading_info=True
    )
    assert not any(log.values())
    assert theirs.config.eos_token_id == 3
    ids = some_ids()
    with torch.no_grad():
        logits = ours(ids)
        torch.testing.assert_close(theirs.eval()(ids).logits, logits, rtol=1e-4, atol=1e-4)
        theirs.save_pretrained(tmp_path / "b")
        for folder in ("a", "b"):
            again = load_gpt2(tmp_path / folder)
            assert again.config == ours.config
            assert not again.training
            assert torch.equal(again(ids), logits)


def test_openais_own_file(tmp_path: Path) -> None:
    """Names without a prefix, and masks among the weights."""
    ours = GPT(config())
    weights = {name.removeprefix("transformer."): value for name, value in to_hugging_face(ours).items()}
    weights |= {"h.0.attn.bias": torch.ones(1, 1, 24, 24), "h.0.attn.masked_bias": torch.tensor(-1e4)}
    again = gpt2_from(config(), weights)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in ours.state_dict().items())


def test_what_does_not_fit_is_named() -> None:
    good = to_hugging_face(GPT(config()))
    key = "transformer.h.1.attn.c_attn.weight"
    other = "weights: of another configuration than the model: "
    for weights, complaint in (
        ({k: v for k, v in good.items() if k != key}, f"{other}missing {key}"),
        (good | {"transformer.x": torch.zeros(1)}, f"{other}unknown transformer.x"),
        (good | {key: good[key].T}, f"{other}{key} is (96, 32) there, (32, 96) here"),
        (
            good | {"lm_head.weight": torch.zeros(40, 32)},
            "lm_head.weight: got 'other numbers than wte.weight', need the same table: our GPT has only one",
        ),
    ):
        with pytest.raises(InputError) as caught:
            gpt2_from(config(), weights)
        assert str(caught.value) == complaint


def test_config_from_hugging_face() -> None:
    base = transformers.GPT2Config().to_dict()
    assert gpt2_config(base) == GPTConfig()
    assert gpt2_config(hugging_face_config(config())) == config()
    for change, complaint in (
        ({"activation_function": "gelu"}, "activation_function: got 'gelu', need 'gelu_new', as in our GPT"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings: got False, need True, as in our GPT"),
    ):
        with pytest.raises(InputError) as caught:
            gpt2_config(base | change)
        assert str(caught.value) == complaint
    del base["n_embd"]
    with pytest.raises(InputError, match="need the field 'n_embd'"):
        gpt2_config(base)


def test_damaged_folders(tmp_path: Path) -> None:
    folder = save_gpt2(GPT(config()), tmp_path / "a")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(DataError, match="is truncated or damaged"):
        load_gpt2(folder)
    fields = json.loads((folder / "config.json").read_text()) | {"n_head": 5}
    (folder / "config.json").write_text(json.dumps(fields))
    with pytest.raises(InputError, match="n_heads: got 5, need a divisor of d_model=32"):
        load_gpt2(folder)
    with pytest.raises(DataError, match="need a folder written by a training run"):
        load_gpt2(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_layers": 0}, "n_layers: got 0, need a positive number"),
        ({"eps": 0.0}, "eps: got 0.0, need a positive number"),
        ({"n_heads": 5}, "n_heads: got 5, need a divisor of d_model=32"),
        ({"dropout": 1.0}, "dropout: got 1.0, need a probability below 1"),
    ],
)
def test_bad_sizes(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        config(**change)
    assert str(caught.value) == message


def test_bad_ids() -> None:
    model, ids = GPT(config()), torch.ones(1, 25, dtype=torch.long)
    for given_ids, message in (
        (ids, "sequence length: got 25, need at most max_len=24 positions"),
        (ids[:, :3] * 40, "ids: got ids from 40 to 40, need 0 to 39 (the vocabulary)"),
        (ids[:0], "ids: got shape (0, 25), need (batch, length), neither of them 0"),
    ):
        with pytest.raises(InputError) as caught:
            model(given_ids)
        assert str(caught.value) == message
