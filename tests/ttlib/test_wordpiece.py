"""WordPiece of our own: equal to transformers' tokeniser on the same vocabulary; there and back; bad input."""

from pathlib import Path

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from ttlib.errors import InputError
from ttlib.text.wordpiece import MASK_ID, PAD_ID, SEP_ID, SPECIALS, UNK_ID, WordPiece

TEXTS = [
    "In the beginning God created the heaven and the earth.",
    "And the earth was without form, and void; and darkness was upon the face of the deep.",
    "It's a film I'd see twice: unforgettable, heavenly, un-earthly!",
]
PIECES = WordPiece.train(TEXTS, 90)


def theirs(folder: Path) -> transformers.BertTokenizer:
    PIECES.save(folder / "vocab.txt")
    return transformers.BertTokenizer(str(folder / "vocab.txt"))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> transformers.BertTokenizer:
    return theirs(tmp_path_factory.mktemp("vocabulary"))


letters = st.text("abehtEFÉ é'.,!-\tи中日 \u0301\u200b", max_size=30)


@settings(max_examples=150)
@given(a=letters, b=st.none() | letters.filter(bool))
def test_wordpiece_equals_transformers(reference: transformers.BertTokenizer, a: str, b: str | None) -> None:
    ids, segments = PIECES.encode_pair(a, b)
    answer = reference(a, b)
    assert ids == answer["input_ids"]
    assert segments == answer["token_type_ids"]
    assert PIECES.encode([a])[0] == reference(a, add_special_tokens=False)["input_ids"]


def test_wordpiece_mutants_differ(reference: transformers.BertTokenizer) -> None:
    """Another order of pieces, or a piece less, gives other ids."""
    names = PIECES.names
    for other in (WordPiece([*names[:5], *reversed(names[5:])]), WordPiece([n for n in names if n != "the"])):
        assert other.encode(TEXTS)[0] != reference(TEXTS[0], add_special_tokens=False)["input_ids"]


def test_ids_of_special_tokens() -> None:
    assert [PIECES.id_of(name) for name in SPECIALS] == [0, 1, 2, 3, 4]
    ids, segments = PIECES.encode_pair("the [MASK]", "earth")
    assert ids[0] == PIECES.id_of("[CLS]")
    assert ids[2] == MASK_ID
    assert ids[3] == ids[-1] == SEP_ID
    assert segments == [0, 0, 0, 0] + [1] * (len(ids) - 4)
    assert PAD_ID not in ids
    assert PIECES.encode(["中"]) == [[UNK_ID]]


def test_there_and_back(tmp_path: Path) -> None:
    PIECES.save(tmp_path / "vocab.txt")
    again = WordPiece.load(tmp_path / "vocab.txt")
    assert again.names == PIECES.names
    assert len(again) == len(PIECES) == 90
    ids = again.encode([TEXTS[1]])[0]
    assert again.decode(ids) == "and the earth was without form, and void ; and darkness was upon the face of the deep."
    assert again.decode([2, *ids[:3], 3, 0]) == "and the earth"
    joined = "".join(again.pieces(again.encode(["heavenly"])[0])).replace("##", "")
    assert joined == "heavenly"


def test_bad_vocabularies(tmp_path: Path) -> None:
    cases = [
        (lambda: WordPiece(["a", "b"]), r"pieces: got \('a', 'b'\), need \('\[PAD\]'"),
        (lambda: WordPiece([*SPECIALS, "a", "a"]), "pieces: got 7, need distinct ones; 6 are"),
        (lambda: WordPiece.train([], 100), "texts: got 'nothing', need some text to learn pieces from"),
        (lambda: WordPiece.train(TEXTS, 10), "vocab_size: got 10, need at least"),
        (lambda: WordPiece.load(tmp_path / "none.txt"), "path: cannot read"),
        (lambda: PIECES.id_of("zebra"), "piece: got 'zebra', need a token of this vocabulary"),
    ]
    for call, message in cases:
        with pytest.raises(InputError, match=message):
            call()


def test_the_same_texts_give_the_same_pieces() -> None:
    texts = TEXTS * 3 + ["abcdefghij jihgfedcba badcfehgji"]
    assert len({tuple(WordPiece.train(iter(texts), 120).names) for _ in range(8)}) == 1
