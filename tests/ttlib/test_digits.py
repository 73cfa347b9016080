"""Byte-level words with every digit apart: the library's Digits before its ByteLevel."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers

from ttlib.errors import InputError
from ttlib.text.splitting import Bytes, BytesAndDigits
from ttlib.text.tokeniser import BPE

LIBRARY = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
OURS = BytesAndDigits()
TEXTS = ["in 2017 it was 3.14", " 1  22\n3", "½ ٣٤ x²", "I'll 've9's", "", "12"]


def library_words(text: str) -> list[str]:
    return [word for word, _ in LIBRARY.pre_tokenize_str(text)]


@given(text=st.text(st.characters(min_codepoint=1, max_codepoint=0x4FF), max_size=30) | st.sampled_from(TEXTS))
def test_digits_equals_library(text: str) -> None:
    assert ["".join(OURS.symbols(word)) for word in OURS.words(text)] == library_words(text)


def test_digits_mutant_differs() -> None:
    """Digits left together."""
    plain = Bytes()
    mutant = [["".join(plain.symbols(word)) for word in plain.words(text)] for text in TEXTS]
    assert mutant != [library_words(text) for text in TEXTS]


def test_by_hand() -> None:
    assert OURS.words("in 2017!") == ["in", " ", "2", "0", "1", "7", "!"]
    with pytest.raises(InputError, match="lone surrogate"):
        OURS.words("1\ud800")


def test_a_tokeniser_goes_through_a_file(tmp_path: Path) -> None:
    ours = BPE.train(["2017 was 2017, not 17"], 270, OURS, ["<end>"])
    assert not any(len(token) > 1 and any(c.isdigit() for c in token) for token in ours.vocab)
    ours.save(tmp_path / "tokenizer.json")
    theirs, again = Tokenizer.from_file(str(tmp_path / "tokenizer.json")), BPE.load(tmp_path / "tokenizer.json")
    for text in TEXTS:
        assert theirs.encode(text).ids == again.encode(text) == ours.encode(text)
        assert again.decode(again.encode(text)) == text
