"""BERT's batches and losses: the same for the same seed, scored where they should be, learnt by the trainer."""

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from tests.ttlib.tiny_documents import VOCAB, corpus
from tests.ttlib.tiny_training import without_speed
from tests.ttlib.torch_twins import randomise
from ttlib.data.mlm import MaskingRule
from ttlib.data.nsp import PairRule
from ttlib.data.pretraining import PretrainingBatch, PretrainingBatches, PretrainingData
from ttlib.errors import InputError
from ttlib.models.bert import BertConfig, BertPretraining
from ttlib.runtime import seed_everything
from ttlib.text.wordpiece import MASK_ID, PAD_ID, SEP_ID
from ttlib.train.config import TrainConfig
from ttlib.train.loop import Trainer
from ttlib.train.pretraining import MaskedTokenLoss, PretrainingLoss, evaluate

TEXTS = corpus(60, 5)
RULE = PairRule(max_len=40)
CONFIG = BertConfig(vocab_size=VOCAB, d_model=32, n_heads=4, d_ff=48, n_layers=2, max_len=40, dropout=0.0)


def batches(process: tuple[int, int] = (0, 1), max_tokens: int = 400, **rule: float) -> PretrainingBatches:
    masking = MaskingRule(**rule)
    return PretrainingBatches(TEXTS, VOCAB, max_tokens, pairs=RULE, masking=masking, seed=3, process=process)


def one_batch(**rule: float) -> PretrainingBatch:
    return next(batches(**rule).epoch(0))[0]


def equal(a: PretrainingBatch, b: PretrainingBatch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


def test_epochs_repeat_and_differ() -> None:
    first, again, other = (list(batches().epoch(number)) for number in (0, 0, 1))
    assert len(first) == len(again) > 5
    assert all(equal(a, b) and n == m for (a, n), (b, m) in zip(first, again, strict=True))
    assert not any(equal(a, b) for (a, _), (b, _) in zip(first, other, strict=False))


def test_an_epoch_goes_on_from_any_batch() -> None:
    whole, rest = list(batches().epoch(2)), list(batches().epoch(2, 4))
    assert all(equal(a, b) for (a, _), (b, _) in zip(whole[4:], rest, strict=True))


def test_processes_share_a_batch() -> None:
    parts = [list(batches((rank, 2)).epoch(0)) for rank in (0, 1)]
    for (whole, n), (a, m), (b, k) in zip(batches().epoch(0), *parts, strict=True):
        assert n == m == k == max(int(whole.selected.sum()), 1)
        assert len(a.labels) + len(b.labels) == len(whole.labels)
        assert torch.equal(whole.originals[0::2], a.originals)
        assert torch.equal(whole.ids[1::2], b.ids)


def test_what_a_batch_holds() -> None:
    for batch, n in batches().epoch(0):
        assert batch.ids.numel() <= 400
        assert batch.ids.size(1) % 8 == 0
        assert n == max(int(batch.selected.sum()), 1)
        assert not (batch.selected & (batch.originals < 5)).any()
        assert torch.equal(batch.ids[~batch.selected], batch.originals[~batch.selected])
        assert ((batch.originals == SEP_ID).sum(1) == 2).all()
        assert (batch.originals != PAD_ID).sum(1).max() > batch.ids.size(1) - 8  # hardly any padding
    assert (one_batch(as_mask=1.0, as_random=0.0).ids == MASK_ID).sum() == one_batch().selected.sum()


def test_moving_a_batch_keeps_it() -> None:
    assert equal(one_batch().to(torch.device("cpu")), one_batch())


def by_hand(model: BertPretraining, batch: PretrainingBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean losses from the logits of all places."""
    tokens, pairs = model.both(batch.ids, None, batch.segments)
    targets = torch.where(batch.selected, batch.originals, -100)
    return F.cross_entropy(tokens.transpose(1, 2), targets), F.cross_entropy(pairs, batch.labels)


def test_losses_are_the_means_of_the_original() -> None:
    model, batch = randomise(BertPretraining(CONFIG)), one_batch()
    n = batch.selected.sum()
    mlm, nsp = by_hand(model, batch)
    torch.testing.assert_close(
        PretrainingLoss(model, 0.0, "float32")(batch) / n, mlm + nsp, rtol=1e-6, atol=1e-6, check_dtype=False
    )
    torch.testing.assert_close(
        MaskedTokenLoss(model, 0.0, "float32")(batch) / n, mlm, rtol=1e-6, atol=1e-6, check_dtype=False
    )


def test_only_selected_places_are_scored() -> None:
    model, batch = randomise(BertPretraining(CONFIG)), one_batch()
    other = batch.originals.clone()
    other[~batch.selected & (other >= 5)] = 7
    changed = dataclasses.replace(batch, originals=other)
    loss = PretrainingLoss(model, 0.0, "float32")
    assert torch.equal(loss(changed), loss(batch))
    for kept in (MASK_ID, None):  # each kind of selected place counts
        some = batch.selected & ((batch.ids == MASK_ID) if kept else (batch.ids != MASK_ID))
        assert some.any()
        moved = dataclasses.replace(batch, originals=torch.where(some, 7, batch.originals))
        assert not torch.equal(loss(moved), loss(batch))


def test_a_batch_without_selected_places() -> None:
    model = randomise(BertPretraining(CONFIG))
    assert PretrainingLoss(model, 0.0, "float32")(one_batch(share=0.0)) == 0
    with pytest.raises(InputError, match="batches: got 0, need at least one selected token"):
        evaluate(model, [one_batch(share=0.0)])


def test_evaluate_is_the_mean_over_all_batches() -> None:
    model = randomise(BertPretraining(CONFIG)).train()
    some = [batch for batch, _ in batches().epoch(0)][:3]
    found = evaluate(model, some)
    assert model.training
    tokens = [batch.selected.sum() for batch in some]
    pairs = [len(batch.labels) for batch in some]
    losses = [by_hand(model.eval(), batch) for batch in some]
    mlm = sum(loss[0] * n for loss, n in zip(losses, tokens, strict=True)) / sum(tokens)
    nsp = sum(loss[1] * n for loss, n in zip(losses, pairs, strict=True)) / sum(pairs)
    assert found["mlm"] == pytest.approx(mlm.item(), rel=1e-5)
    assert found["nsp"] == pytest.approx(nsp.item(), rel=1e-5)
    right = sum((model(b.ids, None, b.segments).argmax(-1) == b.originals)[b.selected].sum() for b in some)
    assert found["mlm_right"] == pytest.approx(float(right / sum(tokens)))
    labels = sum((model.both(b.ids, None, b.segments)[1].argmax(-1) == b.labels).sum() for b in some)
    assert found["nsp_right"] == pytest.approx(float(labels / sum(pairs)))


def trainer(steps: int = 8, dropout: float = 0.1) -> Trainer:
    seed_everything(0)
    config = TrainConfig(steps=steps, max_tokens=400, lr=3e-3, warmup=3, smoothing=0.0, dtype="float32", log_every=2)
    model = BertPretraining(dataclasses.replace(CONFIG, dropout=dropout))
    return Trainer(model, batches(), config, objective=PretrainingLoss)


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = trainer()
    whole.run(show=False)
    first = trainer()
    first.run(tmp_path, show=False, until=4)
    first.save(tmp_path)
    second = trainer()
    second.resume(tmp_path)
    second.run(show=False)
    assert without_speed(second) == without_speed(whole)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


def test_one_batch_is_learnt_by_heart() -> None:
    seed_everything(0)
    model, batch = BertPretraining(CONFIG), one_batch(as_mask=0.9, as_random=0.0)
    loss = PretrainingLoss(model, 0.0, "float32")
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(150):
        value = loss(batch) / batch.selected.sum()
        value.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert value < 0.05
    assert evaluate(model, [batch])["nsp_right"] == 1.0


def test_bad_sizes() -> None:
    with pytest.raises(InputError, match="max_tokens: got 90, need at least 94, a pair for every process"):
        batches((0, 2), max_tokens=90)
    with pytest.raises(InputError, match="follows: got 2.0, need a share between 0 and 1"):
        PretrainingData(follows=2.0)
