"""Our BERT encoder equals transformers' in every layer's states and all gradients; names go there and back."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.torch_twins import grads, randomise
from ttlib.errors import InputError
from ttlib.models.bert import BertConfig, BertEncoder
from ttlib.models.maps import all_heads, attention_maps
from ttlib.nn import masks
from ttlib.nn.feedforward import FeedForward
from ttlib.nn.positions import LearnedPositions
from ttlib.pretrained.bert import FIELDS, bert_config, load_bert, our_names, to_hugging_face

SMALL = {"vocab_size": 40, "d_model": 32, "n_heads": 4, "d_ff": 48, "n_layers": 3, "max_len": 12, "dropout": 0.0}


def config(**changes: int | float) -> BertConfig:
    return BertConfig(**{**SMALL, **changes})


def twins(ours: BertConfig, seed: int = 0) -> tuple[BertEncoder, transformers.BertModel]:
    fields = {theirs: getattr(ours, mine) for theirs, mine in FIELDS.items()}
    settings = transformers.BertConfig(**fields, attention_probs_dropout_prob=0.0, attn_implementation="eager")
    theirs = transformers.BertModel(settings, add_pooling_layer=False).double().eval()
    mine = randomise(BertEncoder(ours), seed)
    theirs.load_state_dict(to_hugging_face(mine), strict=True)
    return mine, theirs


def some_input(batch: int = 3, t: int = 7, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids (none is padding: transformers gives that row no gradient), which keys may be seen, segments."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 40, (batch, t), generator=generator)
    seen = torch.rand(batch, t, generator=generator) < 0.7
    seen[:, 0] = True
    return ids, seen, torch.randint(0, 2, (batch, t), generator=generator)


def their_states(theirs: nn.Module, ids: torch.Tensor, seen: torch.Tensor, segments: torch.Tensor) -> list:
    asked = {"attention_mask": seen.long(), "token_type_ids": segments, "output_hidden_states": True}
    return list(theirs(ids, **asked).hidden_states)


@settings(max_examples=12)
@given(
    batch=st.integers(1, 3), t=st.integers(1, 8), heads=st.sampled_from([1, 2, 8]), layers=st.integers(1, 3),
    eps=st.sampled_from([1e-12, 1e-5, 0.1]), seed=st.integers(0, 99),
)  # fmt: skip
def test_bert_equals_transformers(batch: int, t: int, heads: int, layers: int, eps: float, seed: int) -> None:
    ours, theirs = twins(config(n_heads=heads, n_layers=layers, eps=eps), seed)
    ids, seen, segments = some_input(batch, t, seed)
    a = ours.hidden_states(ids, seen[:, None, None], segments)
    b = their_states(theirs, ids, seen, segments)
    assert len(a) == len(b) == layers + 1
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(ours(ids, seen[:, None, None], segments), b[-1], rtol=1e-10, atol=1e-10)
    names = our_names(layers)
    other = dict(theirs.named_parameters())
    mine = grads(a[-1], [ours.get_parameter(names[name]) for name in other])
    assert len(mine) == len(list(ours.parameters()))
    torch.testing.assert_close(mine, grads(b[-1], list(other.values())), rtol=1e-9, atol=1e-10)


class TanhGelu(FeedForward):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w_2(nn.functional.gelu(self.w_1(x), approximate="tanh"))


def other_activation(kind: type[FeedForward], model: BertEncoder) -> None:
    for block in model.blocks:
        block.feed_forward.__class__ = kind


def no_segments(model: BertEncoder) -> None:
    nn.init.zeros_(model.embedding.segments.weight)


def no_positions(model: BertEncoder) -> None:
    nn.init.zeros_(model.embedding.positions.table)


def other_eps(model: BertEncoder) -> None:
    for module in model.modules():
        if hasattr(module, "eps"):
            module.eps = 1e-2


def no_first_norm(model: BertEncoder) -> None:
    model.embedding.norm = nn.Identity()


def norms_swapped(model: BertEncoder) -> None:
    block = model.blocks[1]
    block.residual_1, block.residual_2 = block.residual_2, block.residual_1


def no_mask(model: BertEncoder) -> None:
    for block in model.blocks:
        good = block.self_attention.forward
        block.self_attention.forward = lambda x, memory, mask, cache, good=good: good(x, memory)


def shifted_positions(model: BertEncoder) -> None:
    model.embedding.positions.forward = lambda x: LearnedPositions.forward(model.embedding.positions, x, 1)


# What the outputs must at least differ by: tanh's gelu is wrong by less than 0.0005 before W_2.
MUTANTS: dict[Callable[[BertEncoder], None], float] = {
    partial(other_activation, TanhGelu): 1e-6,
    partial(other_activation, FeedForward): 1e-2,
    no_segments: 1e-2,
    no_positions: 1e-2,
    shifted_positions: 1e-2,
    other_eps: 1e-4,
    no_first_norm: 1e-2,
    norms_swapped: 1e-2,
    no_mask: 1e-2,
}


@pytest.mark.parametrize("break_it", MUTANTS)
def test_bert_mutants_differ(break_it: Callable[[BertEncoder], None]) -> None:
    ours, theirs = twins(config())
    ids, seen, segments = some_input()
    b = their_states(theirs, ids, seen, segments)[-1]
    torch.testing.assert_close(ours(ids, seen[:, None, None], segments), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    assert (ours(ids, seen[:, None, None], segments) - b).abs().max() > MUTANTS[break_it]


def test_padding_changes_nothing() -> None:
    ours, _ = twins(config())
    ids, _, segments = some_input()
    longer, more = nn.functional.pad(ids, (0, 3)), nn.functional.pad(segments, (0, 3))
    padded = ours(longer, masks.padding(longer, 0), more)[:, :7]
    torch.testing.assert_close(padded, ours(ids, masks.padding(ids, 0), segments), rtol=1e-10, atol=1e-10)
    assert (ours(longer, None, more)[:, :7] - padded).abs().max() > 1e-2


def test_no_segments_means_the_first() -> None:
    ours, _ = twins(config())
    ids, _, segments = some_input()
    assert torch.equal(ours(ids), ours(ids, None, torch.zeros_like(segments)))
    assert (ours(ids) - ours(ids, None, segments)).abs().max() > 1e-2


def test_all_heads_equals_transformers() -> None:
    ours, theirs = twins(config())
    ids, seen, segments = some_input()
    heads = all_heads(ours, ids, seen[:, None, None], segments)
    asked = {"attention_mask": seen.long(), "token_type_ids": segments, "output_attentions": True}
    torch.testing.assert_close(heads, torch.stack(theirs(ids, **asked).attentions), rtol=1e-10, atol=1e-10)
    names = [f"blocks.{i}.self_attention" for i in range(3)]
    assert list(attention_maps(ours, ids)) == names


@pytest.mark.parametrize("change", [lambda w: w.flip(0), lambda w: w.flip(2), lambda w: w.transpose(-1, -2)])
def test_all_heads_mutants_differ(change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    ours, theirs = twins(config())
    ids, seen, segments = some_input()
    b = torch.stack(theirs(ids, attention_mask=seen.long(), token_type_ids=segments, output_attentions=True).attentions)
    assert (change(all_heads(ours, ids, seen[:, None, None], segments)) - b).abs().max() > 1e-2


def test_all_heads_of_what_has_none() -> None:
    with pytest.raises(InputError, match=r"encoder: got \[\], need a model whose layers of attention"):
        all_heads(nn.Linear(2, 2), torch.zeros(1, 2))


def test_names_there_and_back() -> None:
    ours, theirs = twins(config())
    names = our_names(3)
    assert len(set(names.values())) == len(names) == 5 + 3 * 16
    assert set(names.values()) == set(ours.state_dict())
    assert set(names) == {name for name, _ in theirs.named_parameters()}
    again = BertEncoder(config()).double()
    load_bert(again, theirs.state_dict())
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in again.state_dict().items())


def test_what_is_no_part_of_the_encoder_is_left_out() -> None:
    model = BertEncoder(config())
    extra = {"pooler.dense.weight": torch.zeros(32, 32), "pooler.dense.bias": torch.zeros(32)}
    load_bert(model, to_hugging_face(model) | extra | {"embeddings.position_ids": torch.arange(12)[None]})


def test_what_does_not_fit_is_named_and_nothing_is_loaded() -> None:
    model, good = BertEncoder(config()), to_hugging_face(BertEncoder(config()))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    missing = {name: value for name, value in good.items() if name != "encoder.layer.2.output.dense.bias"}
    key = "embeddings.position_embeddings.weight"
    for weights, complaint in (
        (missing, "missing encoder.layer.2.output.dense.bias"),
        (good | {"cls.predictions.bias": torch.zeros(3)}, "unknown cls.predictions.bias"),
        (good | {key: torch.zeros(512, 32)}, f"{key} is (512, 32) there, (12, 32) here"),
    ):
        with pytest.raises(InputError) as caught:
            load_bert(model, weights)
        assert str(caught.value) == f"weights: of another configuration than the model: {complaint}"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_config_from_hugging_face() -> None:
    base = transformers.BertConfig().to_dict()
    assert bert_config(base) == BertConfig()
    assert BertConfig().d_head == 64
    for change, complaint in (
        ({"hidden_act": "relu"}, "hidden_act: got 'relu', need gelu, BERT's own activation"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type: got 'relative_key', need absolute"),
    ):
        with pytest.raises(InputError) as caught:
            bert_config(base | change)
        assert str(caught.value).startswith(complaint)
    del base["hidden_size"]
    with pytest.raises(InputError, match="need the field 'hidden_size'"):
        bert_config(base)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_layers": 0}, "n_layers: got 0, need a positive number"),
        ({"eps": 0.0}, "eps: got 0.0, need a positive number"),
        ({"n_heads": 5}, "n_heads: got 5, need a divisor of d_model=32"),
        ({"dropout": 1.0}, "dropout: got 1.0, need a probability below 1"),
        ({"pad_id": 40}, "pad_id: got 40, need an id below 40"),
    ],
)
def test_bad_sizes(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        config(**change)
    assert str(caught.value) == message


def test_bad_ids() -> None:
    model = BertEncoder(config())
    ids = torch.ones(1, 13, dtype=torch.long)
    for given_ids, segments, message in (
        (ids, None, "sequence length: got 13, need at most max_len=12 positions"),
        (ids[:, :3] * 40, None, "ids: got ids from 40 to 40, need 0 to 39 (the vocabulary)"),
        (ids[:, :3], ids[:, :3] * 2, "segments: got ids from 2 to 2, need 0 to 1 (the vocabulary)"),
    ):
        with pytest.raises(InputError) as caught:
            model(given_ids, None, segments)
        assert str(caught.value) == message
