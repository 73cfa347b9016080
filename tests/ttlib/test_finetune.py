"""Fine-tuning: the loss is PyTorch's, small models learn by heart, predictions come back in order."""

import pytest
import torch
from torch.nn import functional as F

from tests.ttlib.test_bert import config
from tests.ttlib.test_finetuned import C, head, model
from ttlib.data.labelled import IGNORE, Example, LabelledBatch, labelled_batch
from ttlib.models.bert import BertEncoder
from ttlib.models.finetuned import BertWithHead
from ttlib.models.heads import FirstTokenHead, SpanHead, TokenHead, best_spans
from ttlib.train.config import TrainConfig
from ttlib.train.finetune import LabelledLoss, fine_tune, predict

CONFIG = TrainConfig(steps=120, warmup=10, lr=3e-3, smoothing=0.0, dtype="float32", log_every=1)


def examples(kind: type, n: int = 12) -> list[Example]:
    """Rows of different lengths; what is asked can be read off the ids."""
    generator, rows = torch.Generator().manual_seed(3), []
    for i in range(n):
        length = 4 + i % 5
        ids = torch.randint(5, 40, (length,), generator=generator).tolist()
        tags = [IGNORE, *[token % C for token in ids[1:-1]], IGNORE]
        rows.append(Example(ids, [0] * length, {FirstTokenHead: i % C, SpanHead: (1, 2), TokenHead: tags}[kind]))
    return rows


def by_hand(logits: torch.Tensor, batch: LabelledBatch) -> torch.Tensor:
    """One target after the other."""
    rows = logits.flatten(0, -2)
    asked = [(row, int(t)) for row, t in zip(rows, batch.targets.flatten(), strict=True) if t != IGNORE]
    return -torch.stack([row.log_softmax(0)[t] for row, t in asked]).sum()


@pytest.mark.parametrize("kind", [FirstTokenHead, TokenHead, SpanHead])
def test_loss_by_hand(kind: type) -> None:
    net, batch = model(kind), labelled_batch(examples(kind))
    ours = LabelledLoss(net, 0.0, "float32")(batch)
    torch.testing.assert_close(ours.double(), by_hand(net(batch.ids, batch.segments), batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [FirstTokenHead, TokenHead, SpanHead])
def test_it_learns_twelve_rows_by_heart(kind: type) -> None:
    net, rows = BertWithHead(BertEncoder(config()), head(kind)), examples(kind)
    losses = fine_tune(net, rows, 4, CONFIG)
    assert len(losses) == CONFIG.steps
    assert losses[-1] < 0.1 < losses[0]
    for row, logits in zip(rows, predict(net, rows, 5), strict=True):
        if kind is FirstTokenHead:
            assert int(logits.argmax()) == row.target
        elif kind is TokenHead:
            assert [int(x) for x in logits.argmax(-1)[1 : len(row.ids) - 1]] == row.target[1:-1]
        else:
            inside = torch.arange(logits.size(1)) < len(row.ids)
            assert tuple(best_spans(logits[None], inside[None])[0].tolist()) == row.target


def test_predictions_are_those_of_each_row_alone() -> None:
    net, rows = model(FirstTokenHead).float(), examples(FirstTokenHead)
    together = predict(net, rows, 5)
    for row, logits in zip(rows, together, strict=True):
        torch.testing.assert_close(logits, net(torch.tensor([row.ids]))[0], rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_model() -> None:
    runs = [fine_tune(model(TokenHead).float(), examples(TokenHead), 4, CONFIG) for _ in range(2)]
    assert runs[0] == runs[1]
    assert torch.tensor(runs[0]).isfinite().all()


def test_smoothing_reaches_the_loss() -> None:
    net, batch = model(FirstTokenHead), labelled_batch(examples(FirstTokenHead))
    logits = net(batch.ids, batch.segments)
    theirs = F.cross_entropy(logits.float(), batch.targets, label_smoothing=0.1, reduction="sum")
    torch.testing.assert_close(LabelledLoss(net, 0.1, "float32")(batch), theirs)
