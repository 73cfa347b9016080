"""What we save opens in transformers, and answers alike: model, parts of it, and tokeniser."""

from pathlib import Path
from unittest import mock

import pytest
import torch
import transformers

from tests.ttlib.torch_twins import randomise
from ttlib.data.documents import Document, DocumentSplit
from ttlib.errors import DataError, InputError
from ttlib.models.bert import BertConfig, BertMaskedLM, BertPretraining
from ttlib.presets import BertRun, bert_small
from ttlib.pretrained.bert_folder import export_bert, open_bert, save_bert
from ttlib.pretrained.shipped import SHIPPED, read_provenance
from ttlib.text.wordpiece import MASK, MASK_ID, WordPiece
from ttlib.train.bert import Prepared
from ttlib.train.config import override
from ttlib.train.dist import ALONE
from ttlib.train.run import begin

TEXTS = ["In the beginning God created the heaven and the earth.", "And the earth was without form, and void."]
DOCUMENTS = [Document("x", TEXTS * 5), Document("x", TEXTS[::-1] * 5)]
PIECES = WordPiece.train(TEXTS, 80)
CONFIG = BertConfig(vocab_size=len(PIECES), d_model=32, n_heads=4, d_ff=48, n_layers=2, max_len=40, dropout=0.1)


def saved(folder: Path, kind: type[BertMaskedLM] = BertPretraining) -> BertMaskedLM:
    model = randomise(kind(CONFIG)).float().eval()
    save_bert(folder, model, PIECES)
    return model


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    ids, segments = PIECES.encode_pair(f"The {MASK} was without form", "And the heavens")
    return torch.tensor([ids]), torch.tensor([segments])


def test_pretraining_model_opens_in_transformers(tmp_path: Path) -> None:
    ours = saved(tmp_path)
    ids, segments = batch()
    tokens, pairs = ours.both(ids, None, segments)
    theirs, told = transformers.BertForPreTraining.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    answer = theirs.eval()(ids, token_type_ids=segments)
    torch.testing.assert_close(answer.prediction_logits, tokens, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(answer.seq_relationship_logits, pairs, rtol=1e-5, atol=1e-5)
    other = randomise(BertPretraining(CONFIG), 1).float().eval()
    assert (other(ids, None, segments) - tokens).abs().max() > 0.1


def test_its_parts_open_too(tmp_path: Path) -> None:
    ours = saved(tmp_path)
    ids, segments = batch()
    masked = transformers.BertForMaskedLM.from_pretrained(tmp_path).eval()(ids, token_type_ids=segments).logits
    torch.testing.assert_close(masked, ours(ids, None, segments), rtol=1e-5, atol=1e-5)
    encoder = transformers.BertModel.from_pretrained(tmp_path).eval()(ids, token_type_ids=segments)
    torch.testing.assert_close(encoder.last_hidden_state, ours.states(ids, None, segments), rtol=1e-5, atol=1e-5)


def test_a_model_without_the_second_head(tmp_path: Path) -> None:
    ours = saved(tmp_path, BertMaskedLM)
    ids, segments = batch()
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert type(theirs) is transformers.BertForMaskedLM
    torch.testing.assert_close(
        theirs(ids, token_type_ids=segments).logits, ours(ids, None, segments), rtol=1e-5, atol=1e-5
    )
    with pytest.raises(InputError, match="missing bert.pooler.dense.weight"):
        open_bert(tmp_path)


def test_what_transformers_saves_opens_here(tmp_path: Path) -> None:
    ours = saved(tmp_path / "ours")
    theirs = transformers.BertForPreTraining.from_pretrained(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs")
    PIECES.save(tmp_path / "theirs" / "vocab.txt")
    again, pieces = open_bert(tmp_path / "theirs")
    assert again.config == ours.config
    assert pieces.names == PIECES.names
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in again.state_dict().items())


def test_the_tokeniser_opens_too(tmp_path: Path) -> None:
    saved(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text, second in (("The EARTH, without heavens!", None), (f"the {MASK} was", "and the Éarth?")):
        ids, segments = PIECES.encode_pair(text, second)
        answer = theirs(text, second)
        assert answer["input_ids"] == ids
        assert answer["token_type_ids"] == segments
    assert theirs.model_max_length == CONFIG.max_len
    assert theirs.mask_token == MASK


def test_bfloat16_halves_the_file(tmp_path: Path) -> None:
    model = saved(tmp_path / "a")
    save_bert(tmp_path / "b", model, PIECES, torch.bfloat16)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in "ab"]
    assert 1.8 < sizes[0] / sizes[1] < 2.0
    again, _ = open_bert(tmp_path / "b")
    assert not again.training
    assert all(p.dtype == torch.float32 for p in again.parameters())
    weight = model.encoder.embedding.tokens.weight
    assert torch.equal(again.encoder.embedding.tokens.weight, weight.bfloat16().float())


def test_a_run_is_exported_and_opens(tmp_path: Path) -> None:
    """The averaged weights, in bfloat16, with what made them; a small run through the command line's own steps."""
    run = override(bert_small(), SMALL_RUN)
    prepared = prepare_small(run, tmp_path / "run")
    history = prepared.trainer.run(tmp_path / "run" / "checkpoint", show=False)
    export_bert(tmp_path / "run", tmp_path / "out", {"minutes": "1"})
    model, pieces = open_bert(tmp_path / "out")
    assert model.config == run.model
    assert pieces.names == PIECES.names
    average = prepared.trainer.average.values["mlm.dense.weight"]
    assert torch.equal(model.state_dict()["mlm.dense.weight"], average.bfloat16().float())
    record = read_provenance(tmp_path / "out")
    assert record["steps"] == 4
    assert record["minutes"] == "1"
    assert record["history"]["step"] == [point["step"] for point in history]
    transformers.BertForPreTraining.from_pretrained(tmp_path / "out")


SMALL_RUN = [
    "train.steps=4", "train.max_tokens=300", "train.log_every=2", "train.dtype=float32", "data.max_len=40",
    "model.n_heads=4", "model.d_model=32", "model.d_ff=48", "model.n_layers=2", "model.max_len=40",
    f"model.vocab_size={len(PIECES)}",
]  # fmt: skip


def prepare_small(run: BertRun, folder: Path) -> Prepared:
    """As `BertRun.prepare` does, from a few lines of text."""
    split = DocumentSplit(DOCUMENTS, DOCUMENTS)
    with (
        mock.patch("ttlib.train.bert.load_documents", return_value=split),
        mock.patch("ttlib.train.bert.WordPiece.train", return_value=PIECES),
    ):
        prepared = run.prepare(ALONE)
    begin(folder, {"command": "test", "kind": "pretraining", "config": {}}, prepared)
    return prepared


def test_rows_longer_than_the_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.max_len: got 256, need at most model.max_len=40"):
        override(bert_small(), [*SMALL_RUN[5:], "data.max_len=256"]).prepare(ALONE)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no config\.json"):
        open_bert(tmp_path)
    saved(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(InputError, match="path: cannot read"):
        open_bert(tmp_path)


def test_the_shipped_model() -> None:
    """Small, documented, the same in transformers; and it has learnt more than frequencies."""
    folder = SHIPPED / "bert_small"
    assert (folder / "model.safetensors").stat().st_size < 16_000_000
    record = read_provenance(folder)
    assert record["steps"] == record["history"]["step"][-1] == record["train"]["steps"]
    assert record["command"].startswith("python -m ttlib train bert_small")
    ours, pieces = open_bert()
    theirs = transformers.BertForPreTraining.from_pretrained(folder, dtype=torch.float32).eval()
    for text, answer in ((f"I don't {MASK} what to say.", "know"), (f"He went {MASK} of the house.", "out")):
        ids, segments = (torch.tensor([x]) for x in pieces.encode_pair(text))
        logits = ours(ids, None, segments)
        there = theirs(ids, token_type_ids=segments).prediction_logits
        torch.testing.assert_close(logits, there, rtol=1e-4, atol=1e-4)
        place = ids[0].tolist().index(MASK_ID)
        assert answer in pieces.pieces(logits[0, place].topk(5).indices.tolist())
