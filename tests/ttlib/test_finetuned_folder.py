"""A fine-tuned model opens in transformers' class for its task, and answers alike."""

from pathlib import Path

import pytest
import torch
import transformers
from torch import nn

from tests.ttlib.test_bert_folder import CONFIG, PIECES, batch
from tests.ttlib.test_finetuned import their_logits
from tests.ttlib.torch_twins import randomise
from ttlib.errors import InputError
from ttlib.models.bert import BertEncoder
from ttlib.models.finetuned import BertWithHead
from ttlib.models.heads import FirstTokenHead, MeanHead, SpanHead, TokenHead
from ttlib.pretrained.finetuned_folder import KINDS, save_fine_tuned

NAMES = ["bad", "so-so", "good"]


def model(head: type[nn.Module], seed: int = 0) -> BertWithHead:
    made = head(CONFIG.d_model) if head is SpanHead else head(CONFIG.d_model, len(NAMES))
    return randomise(BertWithHead(BertEncoder(CONFIG), made), seed).float().eval()


@pytest.mark.parametrize("head", KINDS)
def test_it_opens_in_transformers(head: type[nn.Module], tmp_path: Path) -> None:
    ours, (ids, segments) = model(head), batch()
    save_fine_tuned(tmp_path, ours, PIECES, NAMES[:2] if head is SpanHead else NAMES)
    kind = getattr(transformers, KINDS[head][0])
    theirs, told = kind.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(told[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    torch.testing.assert_close(their_logits(theirs.eval(), ids, segments), ours(ids, segments), rtol=1e-5, atol=1e-5)
    assert (model(head, 1)(ids, segments) - ours(ids, segments)).abs().max() > 1e-2
    tokenizer = transformers.BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer("the heavens")["input_ids"] == PIECES.encode_pair("the heavens")[0]


def test_classes_have_their_names(tmp_path: Path) -> None:
    save_fine_tuned(tmp_path, model(FirstTokenHead), PIECES, NAMES)
    judge = transformers.pipeline("text-classification", model=str(tmp_path), device="cpu")
    (answer,) = judge("in the beginning")
    ids, _ = PIECES.encode_pair("in the beginning")
    shares = model(FirstTokenHead)(torch.tensor([ids])).softmax(-1)[0].detach()
    assert answer["label"] == NAMES[int(shares.argmax())]
    assert answer["score"] == pytest.approx(float(shares.max()), rel=1e-4)


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="model: got a MeanHead, need a head that transformers has: FirstTokenHead"):
        save_fine_tuned(tmp_path, model(MeanHead), PIECES, NAMES)
    with pytest.raises(InputError, match="names: got 1, need 3, one for each class"):
        save_fine_tuned(tmp_path, model(TokenHead), PIECES, ["a"])
    assert not list(tmp_path.iterdir())
