"""Encoder alone, with a head on it: padding changes nothing, sizes are the translator's, bad input is named."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.ttlib.torch_twins import copy_weights, randomise
from ttlib.errors import InputError
from ttlib.models.config import EncoderConfig, Seq2SeqConfig
from ttlib.models.count import count_parameters
from ttlib.models.encoder import Encoder
from ttlib.models.heads import Classifier, FirstTokenHead, MeanHead, masked_mean
from ttlib.models.seq2seq import Seq2Seq

V, D, C, MAX = 23, 32, 3, 16
CONFIG = EncoderConfig(vocab_size=V, d_model=D, n_heads=4, d_ff=48, n_layers=2, dropout=0.0, max_len=MAX)
EXACT = {"rtol": 1e-10, "atol": 1e-10}
HEADS = [MeanHead, FirstTokenHead]


def net(head: type[nn.Module], config: EncoderConfig = CONFIG) -> Classifier:
    return randomise(Classifier(Encoder(config), head(D, C)).eval())


def some_ids(batch: int, length: int) -> torch.Tensor:
    return torch.randint(1, V, (batch, length), generator=torch.Generator().manual_seed(0))


def padded(ids: torch.Tensor, extra: int = 4) -> torch.Tensor:
    return nn.functional.pad(ids, (0, extra))


def test_a_translators_encoder_has_its_sizes() -> None:
    whole = Seq2SeqConfig(
        src_vocab_size=V, tgt_vocab_size=19, d_model=D, n_heads=4, d_ff=48, n_encoder_layers=2, n_decoder_layers=5,
        dropout=0.2, max_len=MAX, pre_norm=False, pad_id=7,
    )  # fmt: skip
    assert whole.encoder == dataclasses.replace(CONFIG, dropout=0.2, pre_norm=False, pad_id=7)
    assert whole.encoder.d_head == whole.d_head == 8
    assert EncoderConfig(**whole.encoder.to_dict()) == whole.encoder
    translator = randomise(Seq2Seq(whole)).eval()
    alone = Encoder(whole.encoder).double().eval()
    alone.load_state_dict(translator.encoder.state_dict())
    src = some_ids(2, 6)
    torch.testing.assert_close(alone(src), translator.encoder(src), **EXACT)


@pytest.mark.parametrize("pre", [True, False])
def test_encoder_alone_equals_torch(pre: bool) -> None:
    ours, ids, b = twins(pre)
    torch.testing.assert_close(ours(ids, (ids != 0)[:, None, None, :])[ids != 0], b[ids != 0], **EXACT)


@pytest.mark.parametrize("pre", [True, False])
def test_encoder_mutant_without_mask_or_positions_differs(pre: bool) -> None:
    ours, ids, b = twins(pre)
    assert (ours(ids)[ids != 0] - b[ids != 0]).abs().max() > 1e-2
    ours.positions.table.zero_()
    assert (ours(ids, (ids != 0)[:, None, None, :])[ids != 0] - b[ids != 0]).abs().max() > 1e-2


def twins(pre: bool) -> tuple[Encoder, torch.Tensor, torch.Tensor]:
    """Our encoder, ids with padding, and what torch's encoder makes of the same embedded tokens."""
    ours, ids = randomise(Encoder(dataclasses.replace(CONFIG, pre_norm=pre))), padded(some_ids(3, 6))
    layer = nn.TransformerEncoderLayer(D, 4, 48, 0.0, batch_first=True, norm_first=pre, dtype=torch.float64)
    norm = nn.LayerNorm(D, dtype=torch.float64) if pre else None
    theirs = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)
    copy_weights(ours, theirs)
    x = ours.positions(ours.embedding(ids))
    return ours, ids, theirs(x, src_key_padding_mask=ids == 0)


@pytest.mark.parametrize("head", HEADS)
def test_padding_changes_nothing(head: type[nn.Module]) -> None:
    model, ids = net(head), some_ids(3, 6)
    assert model(ids).shape == (3, C)
    torch.testing.assert_close(model(padded(ids)), model(ids), **EXACT)
    together = torch.cat([padded(ids[:1, :4], 2), ids[1:]])
    torch.testing.assert_close(model(together)[:1], model(ids[:1, :4]), **EXACT)


def plain_mean(model: Classifier) -> None:
    model.head.forward = lambda states, real: model.head.linear(states.mean(1))


def open_mask(model: Classifier) -> None:
    inner = model.encoder.forward
    model.encoder.forward = lambda ids, mask: inner(ids)


@pytest.mark.parametrize("break_it", [plain_mean, open_mask])
def test_a_classifier_that_sees_padding_is_found(break_it: Callable[[Classifier], None]) -> None:
    model, ids = net(MeanHead), some_ids(3, 6)
    alone = model(ids)
    break_it(model)
    assert (model(padded(ids)) - alone).abs().max() > 1e-2


def test_every_token_matters_to_the_mean_and_only_the_first_state_to_the_other() -> None:
    states, real = torch.randn(1, 5, D, requires_grad=True), torch.tensor([[True, True, True, True, False]])
    for head, reached in ((MeanHead, [0, 1, 2, 3]), (FirstTokenHead, [0])):
        (gradient,) = torch.autograd.grad(head(D, C)(states, real).sum(), states)
        assert gradient[0].abs().sum(-1).nonzero().flatten().tolist() == reached


def test_the_mean_by_hand() -> None:
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 5.0], [7.0, 7.0], [9.0, 9.0]]])
    real = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(x, real).tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_order_matters_because_of_positions_alone() -> None:
    model, ids = net(MeanHead), some_ids(1, 6)
    turned = ids.flip(1)
    assert (model(ids) - model(turned)).abs().max() > 1e-3
    model.encoder.positions.table.zero_()
    torch.testing.assert_close(model(ids), model(turned), **EXACT)


def test_parameters_are_the_closed_form() -> None:
    block = 4 * (D * D + D) + (D * 48 + 48) + (48 * D + D) + 4 * D
    encoder = V * D + 2 * block + 2 * D
    assert count_parameters(net(MeanHead)) == encoder + D * C + C
    assert count_parameters(net(FirstTokenHead)) == encoder + D * D + D + D * C + C


@pytest.mark.parametrize("head", HEADS)
def test_bad_input(head: type[nn.Module]) -> None:
    model = net(head)
    for ids, message in (
        (some_ids(2, 3) + V, "ids: got ids from .*, need 0 to 22"),
        (torch.zeros(0, 3, dtype=torch.long), r"ids: got shape \(0, 3\), need"),
        (some_ids(2, MAX + 1), "sequence length: got 17, need at most max_len=16"),
    ):
        with pytest.raises(InputError, match=message):
            model(ids)
    with pytest.raises(InputError, match="n_classes: got 0, need a positive number"):
        head(D, 0)


@pytest.mark.parametrize("head", HEADS)
def test_it_learns_twenty_rows_by_heart(head: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = Classifier(Encoder(CONFIG), head(D, C))
    ids, labels = some_ids(20, 8), torch.arange(20) % C
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(ids), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05
