"""Tokenisers: text to ids and back, without loss."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttlib.errors import InputError
from ttlib.text.subwords import SPECIALS, Subwords

TEXTS = [
    "В начале сотворил Бог небо и землю.",
    "Земля же была безвидна и пуста, и тьма над бездною; и Дух Божий носился над водою.",
    "«Ёж»? — Ещё: да/нет!",
    'And God said, "Let there be light": and it was so.',
    "don't (word-for-word)",
] * 3
TAGS = ("<basic>", "<world>")
LETTERS = sorted(set("".join(TEXTS)) - {" "})


@pytest.fixture(scope="module")
def subwords() -> Subwords:
    return Subwords.train(TEXTS, 150, TAGS)


@given(words=st.lists(st.text(LETTERS, min_size=1, max_size=8), max_size=6))
def test_round_trip(subwords: Subwords, words: list[str]) -> None:
    """Any text of the letters it has seen, with single spaces."""
    text = " ".join(words)
    (ids,) = subwords.encode([text])
    assert 3 not in ids
    assert subwords.decode(ids) == text
    assert "".join(subwords.pieces(text)).replace("▁", " ").strip() == text


def test_ids(subwords: Subwords) -> None:
    assert len(subwords) == 150
    assert [subwords.id_of(piece) for piece in (*SPECIALS, *TAGS)] == list(range(6))
    (ids,) = subwords.encode(TEXTS[:1])
    assert [subwords.id_of(piece) for piece in subwords.pieces(TEXTS[0])] == ids
    assert min(ids) >= 6
    assert len(ids) < len(TEXTS[0])  # merged, not letter by letter
    assert subwords.encode([]) == []
    assert subwords.encode([""]) == [[]]


def test_decoding_leaves_special_tokens_out(subwords: Subwords) -> None:
    (ids,) = subwords.encode(TEXTS[:1])
    assert subwords.decode([4, *ids, 2, 0, 0]) == TEXTS[0]
    assert subwords.decode([]) == ""


def test_unknown_letters_become_unk(subwords: Subwords) -> None:
    (ids,) = subwords.encode(["Бог 神"])
    assert ids.count(3) == 1
    assert subwords.decode(ids) == "Бог"


def test_composed_and_decomposed_letters_are_the_same(subwords: Subwords) -> None:
    assert subwords.encode(["Е\u0308ж и\u0306"]) == subwords.encode(["Ёж й"])


def test_punctuation_stands_alone(subwords: Subwords) -> None:
    for piece in subwords.pieces("небо, (землю)."):
        letters = piece.strip("▁")
        assert len(letters) <= 1 or letters.isalpha()


def test_saved_is_loaded(subwords: Subwords, tmp_path: Path) -> None:
    subwords.save(tmp_path / "t.json")
    again = Subwords.load(tmp_path / "t.json")
    assert again.encode(TEXTS) == subwords.encode(TEXTS)
    assert len(again) == len(subwords)
    assert again.id_of("<world>") == 5
    assert [again.decode(ids) for ids in again.encode(TEXTS)] == TEXTS


def test_training_repeats_itself(subwords: Subwords) -> None:
    assert Subwords.train(iter(TEXTS), 150, TAGS).encode(TEXTS) == subwords.encode(TEXTS)


def test_wrong_input(subwords: Subwords, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"vocab_size: got 20, need at least \d+: the letters alone take that"):
        Subwords.train(TEXTS, 20)
    with pytest.raises(InputError, match="texts: got 'nothing', need some text to learn subwords from"):
        Subwords.train([], 50, TAGS)
    with pytest.raises(InputError, match="piece: got '<segond>', need a token of this vocabulary"):
        subwords.id_of("<segond>")


def test_damaged_files(subwords: Subwords, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with pytest.raises(InputError, match=r"tokenizer: cannot read '.*t\.json': No such file"):
        Subwords.load(path)
    subwords.save(path)
    whole = path.read_text()
    for damaged in (whole[: len(whole) // 2], "", "[]"):
        path.write_text(damaged)
        with pytest.raises(InputError, match=r"tokenizer: cannot read '.*t\.json'"):
            Subwords.load(path)
    path.write_text(whole.replace("<bos>", "<s>"))
    with pytest.raises(InputError, match=r"tokenizer: got \('<pad>', '<s>', .* at ids 0 to 3"):
        Subwords.load(path)
