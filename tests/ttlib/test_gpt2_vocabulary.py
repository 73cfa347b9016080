"""GPT-2's vocabulary in our class, against the library reading the same files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from ttlib.data.sources import verified
from ttlib.pretrained.gpt2_vocabulary import GPT2_MERGES, GPT2_VOCAB, load_gpt2_tokeniser
from ttlib.text.splitting import Bytes
from ttlib.text.tokeniser import BPE


@pytest.fixture(scope="module")
def ours() -> BPE:
    return load_gpt2_tokeniser()


@pytest.fixture(scope="module")
def theirs() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE.from_file(str(verified(GPT2_VOCAB)), str(verified(GPT2_MERGES))))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


TEXTS = [
    "непреднамеренный",
    "Hello world, it's 2019!",
    "def f(x):\n    return x ** 2\n",
    "天地 👩‍👩‍👧‍👦",
    "  a   b",
    "aaaa" * 50,
]
RANGES = st.characters(min_codepoint=9, max_codepoint=0x4FF)


def test_gpt2_equals_library(ours: BPE, theirs: Tokenizer) -> None:
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text).ids
        assert ours.decode(ours.encode(text)) == text


@given(text=st.text(RANGES, max_size=40))
def test_gpt2_on_any_text_equals_library(ours: BPE, theirs: Tokenizer, text: str) -> None:
    assert ours.encode(text) == theirs.encode(text).ids


def test_gpt2_mutant_differs(ours: BPE, theirs: Tokenizer) -> None:
    """Two merges swapped."""
    merges = [ours.merges[1], ours.merges[0], *ours.merges[2:]][::-1]
    mutant = BPE(Bytes(), ours.vocab, merges, ours.specials)
    assert [mutant.encode(text) for text in TEXTS] != [theirs.encode(text).ids for text in TEXTS]


def test_known_facts(ours: BPE, tmp_path: Path) -> None:
    assert len(ours) == 50_257
    assert len(ours.merges) == 50_000
    assert ours.encode("Hello world") == [15496, 995]  # as everybody's
    assert len(ours.encode("непреднамеренный")) == 18
    assert ours.decode([50256]) == ""
    ours.save(tmp_path / "tokenizer.json")
    assert Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("Hello world").ids == [15496, 995]
