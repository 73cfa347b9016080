"""BERT with its two heads equals transformers', forward and backward, in float64 and float32."""

from collections.abc import Callable

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.ttlib.test_bert import config, some_input
from tests.ttlib.torch_twins import grads, randomise
from ttlib.errors import InputError
from ttlib.models.bert import BertConfig, BertMaskedLM, BertPretraining, quick_start
from ttlib.models.count import count_parameters
from ttlib.models.heads import MaskedTokenHead
from ttlib.nn import masks
from ttlib.presets import bert_base, bert_large
from ttlib.pretrained.bert import (
    bert_config,
    heads_to_hugging_face,
    hugging_face_config,
    load_bert_heads,
    our_head_names,
)

KINDS = {BertMaskedLM: transformers.BertForMaskedLM, BertPretraining: transformers.BertForPreTraining}


def twins(kind: type[BertMaskedLM], ours: BertConfig, seed: int = 0) -> tuple[BertMaskedLM, nn.Module]:
    fields = transformers.BertConfig(**hugging_face_config(ours), attn_implementation="eager")
    theirs = KINDS[kind](fields).double().eval()
    mine = randomise(kind(ours), seed)
    missing = theirs.load_state_dict(heads_to_hugging_face(mine), strict=False)
    assert not missing.unexpected_keys
    assert set(missing.missing_keys) <= {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # tied
    return mine, theirs


def outputs(model: nn.Module, ids: torch.Tensor, seen: torch.Tensor, segments: torch.Tensor) -> list[torch.Tensor]:
    """Scores of tokens and, where the model has them, of pairs."""
    if isinstance(model, BertPretraining):
        return list(model.both(ids, seen[:, None, None], segments))
    if isinstance(model, BertMaskedLM):
        return [model(ids, seen[:, None, None], segments)]
    answer = model(ids, attention_mask=seen.long(), token_type_ids=segments)
    if isinstance(model, transformers.BertForPreTraining):
        return [answer.prediction_logits, answer.seq_relationship_logits]
    return [answer.logits]


@settings(max_examples=8)
@given(
    kind=st.sampled_from(list(KINDS)), batch=st.integers(1, 3), t=st.integers(1, 8), heads=st.sampled_from([1, 4]),
    layers=st.integers(1, 3), eps=st.sampled_from([1e-12, 1e-5, 0.1]), seed=st.integers(0, 99),
)  # fmt: skip
def test_bert_heads_equals_transformers(
    kind: type[BertMaskedLM], batch: int, t: int, heads: int, layers: int, eps: float, seed: int
) -> None:
    ours, theirs = twins(kind, config(n_heads=heads, n_layers=layers, eps=eps), seed)
    inputs = some_input(batch, t, seed)
    a, b = outputs(ours, *inputs), outputs(theirs, *inputs)
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    names = our_head_names(ours)
    other = dict(theirs.named_parameters())
    assert set(names) == set(other)
    assert set(names.values()) == {name for name, _ in ours.named_parameters()}
    for x, y in zip(a, b, strict=True):
        mine = grads(x, [ours.get_parameter(names[name]) for name in other])
        for g, h in zip(mine, grads(y, list(other.values())), strict=True):
            assert (g is None) == (h is None)
            if g is not None:
                torch.testing.assert_close(g, h, rtol=1e-9, atol=1e-10)


def test_bert_float32_equals_transformers() -> None:
    ours, theirs = twins(BertPretraining, config())
    inputs = some_input()
    exact = outputs(ours, *inputs)
    a, b = outputs(ours.float(), *inputs), outputs(theirs.float(), *inputs)
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close([x.double() for x in a], exact, rtol=1e-4, atol=1e-4)


def no_norm(model: BertPretraining) -> None:
    model.mlm.norm = nn.Identity()


def no_dense(model: BertPretraining) -> None:
    model.mlm.dense = nn.Identity()


def no_bias(model: BertPretraining) -> None:
    nn.init.zeros_(model.mlm.bias)


def other_eps(model: BertPretraining) -> None:
    model.mlm.norm.eps = 1e-2


def own_table(model: BertPretraining) -> None:
    head, table = model.mlm.forward, torch.randn(40, 32, dtype=torch.float64)
    model.mlm.forward = lambda states, tied: head(states, table)


def no_activation(model: BertPretraining) -> None:
    head = model.mlm
    head.forward = lambda states, table: nn.functional.linear(head.norm(head.dense(states)), table, head.bias)


def no_tanh(model: BertPretraining) -> None:
    model.nsp.forward = lambda states: model.nsp.linear(model.nsp.pooler(states[:, 0]))


def last_token(model: BertPretraining) -> None:
    model.nsp.forward = lambda states: model.nsp.linear(model.nsp.pooler(states[:, -1]).tanh())


def labels_swapped(model: BertPretraining) -> None:
    layer = model.nsp.linear
    layer.weight.data, layer.bias.data = layer.weight.data.flip(0), layer.bias.data.flip(0)


MUTANTS: dict[Callable[[BertPretraining], None], float] = {
    no_norm: 1e-2,
    no_dense: 1e-2,
    no_bias: 1e-2,
    other_eps: 1e-4,
    own_table: 1e-2,
    no_activation: 1e-2,
    no_tanh: 1e-2,
    last_token: 1e-3,
    labels_swapped: 1e-2,
}


@pytest.mark.parametrize("break_it", MUTANTS)
def test_bert_heads_mutants_differ(break_it: Callable[[BertPretraining], None]) -> None:
    ours, theirs = twins(BertPretraining, config())
    inputs = some_input()
    b = outputs(theirs, *inputs)
    torch.testing.assert_close(outputs(ours, *inputs), b, rtol=1e-10, atol=1e-10)
    break_it(ours)
    worst = max((x - y).abs().max().item() for x, y in zip(outputs(ours, *inputs), b, strict=True))
    assert worst > MUTANTS[break_it]


@pytest.mark.parametrize("change", [{"mask": None}, {"segments": None}])
def test_bert_float32_mutants_differ(change: dict[str, None]) -> None:
    ours, theirs = twins(BertPretraining, config())
    ids, seen, segments = some_input()
    b = outputs(theirs.float(), ids, seen, segments)[0]
    a = ours.float()(ids, **{"mask": seen[:, None, None], "segments": segments, **change})
    assert (a - b).abs().max() > 1e-2


def test_without_a_mask_padding_is_hidden() -> None:
    ours = randomise(BertPretraining(config()))
    ids, _, segments = some_input()
    longer, more = nn.functional.pad(ids, (0, 3)), nn.functional.pad(segments, (0, 3))
    tokens, pairs = ours.both(longer, None, more)
    short = ours.both(ids, None, segments)
    torch.testing.assert_close((tokens[:, :7], pairs), short, rtol=1e-10, atol=1e-10)
    everything = torch.ones(1, 1, 1, 10, dtype=torch.bool)
    assert (ours(longer, everything, more)[:, :7] - tokens[:, :7]).abs().max() > 1e-2
    assert torch.equal(ours(longer, masks.padding(longer, 0), more), tokens)


def test_heads_read_some_states_alone() -> None:
    ours = randomise(BertPretraining(config()))
    ids, _, segments = some_input()
    states = ours.states(ids, None, segments)
    chosen = torch.zeros(ids.shape, dtype=torch.bool)
    chosen[0, 3] = chosen[2, 1] = True
    torch.testing.assert_close(ours.token_logits(states[chosen]), ours(ids, None, segments)[chosen])
    assert torch.equal(ours.pair_logits(states), ours.both(ids, None, segments)[1])


def test_the_table_is_tied() -> None:
    ours = randomise(BertPretraining(config()))
    gradient = torch.autograd.grad(
        ours.token_logits(torch.ones(1, 32).double()).sum(), ours.encoder.embedding.tokens.weight
    )
    assert gradient[0].abs().max() > 0
    assert [name for name, _ in MaskedTokenHead(8, 5).named_parameters()] == [
        "bias", "dense.weight", "dense.bias", "norm.weight", "norm.bias",
    ]  # fmt: skip


def test_weights_begin_as_the_originals() -> None:
    model = BertPretraining(BertConfig(vocab_size=500, d_model=64, n_heads=2, d_ff=256, n_layers=2))
    for name, p in model.named_parameters():
        if p.dim() == 2 and p.numel() > 500:
            assert abs(p.std().item() - 0.02) < 0.001, name
        elif p.dim() == 1:
            assert torch.equal(p, torch.ones_like(p) if name.endswith("norm.weight") else torch.zeros_like(p)), name


def test_head_names_there_and_back() -> None:
    for kind in KINDS:
        ours, theirs = twins(kind, config())
        again = kind(config()).double()
        load_bert_heads(again, theirs.state_dict())  # with their second copies of table and bias
        assert all(torch.equal(value, ours.state_dict()[name]) for name, value in again.state_dict().items())


def test_the_names_of_2018() -> None:
    ours = randomise(BertPretraining(config()))
    old = {}
    for name, value in heads_to_hugging_face(ours).items():
        is_norm = "LayerNorm" in name
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        assert is_norm == ("gamma" in name or "beta" in name)
        old[name] = value
    again = BertPretraining(config()).double()
    load_bert_heads(again, old | {"bert.embeddings.position_ids": torch.arange(12)[None]})
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in again.state_dict().items())


def test_heads_that_do_not_fit() -> None:
    model, small = BertPretraining(config()), BertMaskedLM(config())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError) as caught:
        load_bert_heads(model, heads_to_hugging_face(small))
    start = "weights: of another configuration than the model: missing bert.pooler.dense.weight;"
    assert str(caught.value).startswith(start)
    with pytest.raises(InputError, match="unknown bert.pooler.dense.weight"):
        load_bert_heads(small, heads_to_hugging_face(model))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_config_there_and_back() -> None:
    ours = config(eps=1e-5, n_segments=3, dropout=0.2, pad_id=7)
    fields = hugging_face_config(ours)
    assert bert_config(fields) == ours
    theirs = transformers.BertConfig(**fields)
    assert theirs.model_type == "bert"
    assert bert_config(theirs.to_dict()) == ours


def test_a_quick_start_changes_two_tables_alone() -> None:
    model = BertPretraining(BertConfig(vocab_size=500, d_model=64, n_heads=2, d_ff=128, n_layers=1, max_len=20))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quick_start(model)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"encoder.embedding.tokens.weight", "encoder.embedding.positions.table"}
    assert abs(model.encoder.embedding.tokens.weight.std().item() - 0.05) < 0.002
    torch.testing.assert_close(model.encoder.embedding.positions.table[0, :4], torch.tensor([0.0, 0.07, 0.0, 0.07]))


@pytest.mark.parametrize(
    ("sizes", "encoder", "whole"),
    [(bert_base(), 109_482_240, 110_106_428), (bert_large(), 335_141_888, 336_226_108)],
)
def test_the_papers_sizes(sizes: BertConfig, encoder: int, whole: int) -> None:
    """The first number is transformers' BertModel (with its pooler), the second BertForPreTraining."""
    with torch.device("meta"):
        model = BertPretraining(sizes)
        fields = transformers.BertConfig(**hugging_face_config(sizes))
        theirs = transformers.BertModel(fields)
    pooler = count_parameters(model.nsp.pooler)
    assert count_parameters(model.encoder) + pooler == encoder == count_parameters(theirs)
    assert count_parameters(model) == whole
