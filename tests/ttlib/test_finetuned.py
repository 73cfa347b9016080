"""Encoder and head for fine-tuning equal transformers'; padding changes nothing; spans are found by brute force."""

from collections.abc import Callable

import pytest
import torch
import transformers
from torch import nn

from tests.ttlib.test_bert import config, some_input
from tests.ttlib.torch_twins import grads, randomise
from ttlib.errors import InputError
from ttlib.models.bert import BertEncoder
from ttlib.models.finetuned import BertWithHead
from ttlib.models.heads import FirstTokenHead, MeanHead, SpanHead, TokenHead, best_spans
from ttlib.pretrained.bert import hugging_face_config, to_hugging_face

D, C = 32, 5
EXACT = {"rtol": 1e-9, "atol": 1e-10}
KINDS = {  # our head → transformers' model, and its names of the head's parameters
    FirstTokenHead: (
        transformers.BertForSequenceClassification,
        {"bert.pooler.dense": "pooler", "classifier": "linear"},
    ),
    TokenHead: (transformers.BertForTokenClassification, {"classifier": "linear"}),
    SpanHead: (transformers.BertForQuestionAnswering, {"qa_outputs": "linear"}),
}


def head(kind: type[nn.Module]) -> nn.Module:
    return kind(D) if kind is SpanHead else kind(D, C)


def model(kind: type[nn.Module], seed: int = 0) -> BertWithHead:
    return randomise(BertWithHead(BertEncoder(config()), head(kind)), seed).eval()


def twins(kind: type[nn.Module]) -> tuple[BertWithHead, nn.Module]:
    ours, (theirs_kind, names) = model(kind), KINDS[kind]
    fields = hugging_face_config(ours.config) | {"num_labels": 2 if kind is SpanHead else C, "classifier_dropout": 0.0}
    theirs = theirs_kind(transformers.BertConfig(**fields, attn_implementation="eager")).double().eval()
    weights = {f"bert.{name}": value for name, value in to_hugging_face(ours.encoder).items()}
    for their_name, our_name in names.items():
        layer = ours.head.get_submodule(our_name)
        weights[f"{their_name}.weight"] = layer.weight
        weights[f"{their_name}.bias"] = torch.zeros(2).double() if layer.bias is None else layer.bias
    theirs.load_state_dict(weights, strict=True)
    return ours, theirs


def their_logits(theirs: nn.Module, ids: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
    answer = theirs(ids, attention_mask=torch.ones_like(ids), token_type_ids=segments)
    return torch.stack([answer.start_logits, answer.end_logits], 1) if "start_logits" in answer else answer.logits


@pytest.mark.parametrize("kind", KINDS)
def test_fine_tuned_equals_transformers(kind: type[nn.Module]) -> None:
    ours, theirs = twins(kind)
    ids, _, segments = some_input()
    a, b = ours(ids, segments), their_logits(theirs, ids, segments)
    torch.testing.assert_close(a, b, **EXACT)
    tables = [m.encoder.embedding.tokens if m is ours else m.bert.embeddings.word_embeddings for m in (ours, theirs)]
    mine, other = grads(a, [tables[0].weight]), grads(b, [tables[1].weight])
    torch.testing.assert_close(mine, other, **EXACT)


def no_tanh(ours: BertWithHead) -> None:
    ours.head.forward = lambda states, real: ours.head.linear(ours.head.pooler(states[:, 0]))


def last_token(ours: BertWithHead) -> None:
    inner = ours.head.forward
    ours.head.forward = lambda states, real: inner(states.flip(1), real)


def one_segment(ours: BertWithHead) -> None:
    inner = ours.encoder.forward
    ours.encoder.forward = lambda ids, mask, segments: inner(ids, mask)


@pytest.mark.parametrize(
    ("kind", "break_it"),
    [(FirstTokenHead, no_tanh), *((kind, mutant) for kind in KINDS for mutant in (last_token, one_segment))],
)
def test_fine_tuned_mutants_differ(kind: type[nn.Module], break_it: Callable[[BertWithHead], None]) -> None:
    ours, theirs = twins(kind)
    ids, _, segments = some_input()
    break_it(ours)
    assert (ours(ids, segments) - their_logits(theirs, ids, segments)).abs().max() > 1e-3


@pytest.mark.parametrize("kind", [*KINDS, MeanHead])
def test_padding_changes_nothing(kind: type[nn.Module]) -> None:
    ours, (ids, _, segments) = model(kind), some_input(3, 6)
    wide = [nn.functional.pad(x, (0, 4)) for x in (ids, segments)]
    alone, padded = ours(ids, segments), ours(*wide)
    if kind is SpanHead:
        assert padded[..., 6:].eq(-torch.inf).all()
        padded = padded[..., :6]
    elif kind is TokenHead:
        padded = padded[:, :6]
    torch.testing.assert_close(padded, alone, **EXACT)


def test_new_heads_are_small_and_the_encoder_is_kept() -> None:
    encoder = randomise(BertEncoder(config()))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    built = BertWithHead(encoder, FirstTokenHead(D, C))
    assert all(torch.equal(value, before[name]) for name, value in built.encoder.state_dict().items())
    assert 0.015 < built.head.pooler.weight.std() < 0.025
    assert not built.head.linear.bias.any()


@pytest.mark.parametrize("longest", [None, 1, 3])
def test_best_spans_by_brute_force(longest: int | None) -> None:
    for trial in range(20):
        torch.manual_seed(trial)
        logits, allowed = torch.randn(1, 2, 7), torch.rand(1, 7) < 0.6
        allowed[0, trial % 7] = True
        places = allowed[0].nonzero().flatten().tolist()
        spans = [(i, j) for i in places for j in places if i <= j and j - i < (longest or 7)]
        best = max(spans, key=lambda span: float(logits[0, 0, span[0]] + logits[0, 1, span[1]]))
        assert tuple(best_spans(logits, allowed, longest)[0].tolist()) == best


def test_bad_input() -> None:
    for kind in (TokenHead, FirstTokenHead, MeanHead):
        with pytest.raises(InputError, match="got 0, need a positive number"):
            kind(D, 0)
    logits = torch.zeros(2, 2, 3)
    with pytest.raises(InputError, match=r"allowed: got \[1, 0\], need a token in every row"):
        best_spans(logits, torch.tensor([[True, False, False], [False] * 3]))
    with pytest.raises(InputError, match="longest: got 0, need a positive number or None"):
        best_spans(logits, torch.ones(2, 3, dtype=torch.bool), 0)
    with pytest.raises(InputError, match="ids: got ids from"):
        model(TokenHead)(torch.tensor([[400]]))
