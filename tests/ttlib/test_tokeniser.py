"""Our BPE tokeniser against the library: the same ids, the same files, nothing lost."""

import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tests.ttlib.bpe_reference import library, merges_of, trained
from ttlib.errors import InputError
from ttlib.text import bpe
from ttlib.text.splitting import Bytes, EndMark, Letters, Spaces, byte_characters
from ttlib.text.tokeniser import BPE

TEXTS = [
    "В начале сотворил Бог небо и землю. Земля же была безвидна и пуста.",
    "At the first God made the heaven and the earth. It's 1234 (don't) I'll",
    "起初神創造天地。地是空虛混沌 ½Ⅷ२_ー",
    "if x_1 == 20:\n\treturn  [x for x in xs]\r\n\n",
    "👩‍👩‍👧‍👦 🇷🇺 é e\u0301 \u200b \x00 \x1c\x85 \u00a0\u2003x \u3000",
] * 2
NORMAL = [" ".join(text.split()) for text in TEXTS]
SPECIALS = ["<pad>", "<unk>"]
SPLITTERS = [Bytes(), Spaces(), Letters(), EndMark()]
CASES = int(os.environ.get("TTLIB_CASES", "1000"))  # 100,000 in `make nightly`
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
OLD = st.characters(exclude_categories=["Cs", "Cn"]).filter(lambda c: unicodedata.ucd_3_2_0.category(c) != "Cn")


@pytest.fixture(scope="module", params=SPLITTERS, ids=["bytes", "spaces", "letters", "end mark"])
def ours(request) -> BPE:
    return BPE.train(TEXTS, 420, request.param, SPECIALS, "<unk>")


@pytest.fixture(scope="module")
def level() -> BPE:
    return BPE.train(TEXTS, 330, Bytes())


@settings(max_examples=CASES)
@given(text=ANY)
def test_any_text_comes_back(level: BPE, text: str) -> None:
    ids = level.encode(text)
    assert level.decode(ids) == text
    assert all(0 <= i < len(level) for i in ids)
    assert len(ids) <= len(text.encode())


@given(text=st.text(OLD, max_size=30))
def test_bytes_equals_library(level: BPE, text: str) -> None:
    """Ids on any text of characters that Unicode had in 2002: newer ones depend on each program's tables."""
    theirs = their_level()
    assert level.vocab == theirs.get_vocab()
    assert level.encode(text) == theirs.encode(text).ids
    assert theirs.decode(level.encode(text)) == text


def their_level(memory: dict[str, Tokenizer] = {}) -> Tokenizer:  # noqa: B006
    if not memory:
        memory["it"] = trained(Bytes(), TEXTS, 330)
    return memory["it"]


def test_bytes_mutants_differ(level: BPE) -> None:
    """Splitting at spaces only, or Python's own \\w and \\s, gives other ids somewhere in these texts."""

    class Naive(Bytes):
        def words(self, text: str) -> list[str]:
            return [w.replace("▁", " ") for w in Spaces().words(text)]

    naive = BPE(Naive(), level.vocab, level.merges)
    reverse = BPE(Bytes(), level.vocab, level.merges[::-1])
    texts, theirs = [*TEXTS, "x ½", "don't"], their_level()
    assert [level.encode(text) for text in texts] == [theirs.encode(text).ids for text in texts]
    for mutant in (naive, reverse):
        assert [mutant.encode(text) for text in texts] != [theirs.encode(text).ids for text in texts]


@pytest.mark.parametrize("bad", ["\ud800", "ab\udfffc", "x\ud83d \ude00"])
def test_surrogates_are_refused(ours: BPE, bad: str) -> None:
    place = next(i for i, c in enumerate(bad) if "\ud800" <= c <= "\udfff")
    with pytest.raises(InputError, match=rf"text: got \"'\\\\ud.*' at position {place}\", need characters only"):
        ours.encode(bad)
    with pytest.raises(InputError, match="lone surrogate"):
        BPE.train([bad], 300, ours.splitter)


def test_the_library_reads_ours(ours: BPE, tmp_path: Path) -> None:
    ours.save(tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.get_vocab() == ours.vocab
    for text in [*TEXTS, "что-то новое", "unseen WORDS ☃ here", ""]:
        assert theirs.encode(text).ids == ours.encode(text)
        assert theirs.decode(ours.encode(text)) == ours.decode(ours.encode(text))


def test_ours_reads_the_librarys(ours: BPE, tmp_path: Path) -> None:
    theirs = trained(ours.splitter, TEXTS, 420, SPECIALS, "<unk>")
    theirs.save(str(tmp_path / "tokenizer.json"))
    again = BPE.load(tmp_path / "tokenizer.json")
    assert type(again.splitter) is type(ours.splitter)
    assert (again.vocab, again.merges) == (theirs.get_vocab(), merges_of(theirs))
    for text in [*TEXTS, "что-то новое", "unseen WORDS ☃ here", ""]:
        assert again.encode(text) == theirs.encode(text).ids
        assert again.decode(again.encode(text)) == theirs.decode(theirs.encode(text).ids)


def test_saved_is_loaded(ours: BPE, tmp_path: Path) -> None:
    ours.save(tmp_path / "t.json")
    again = BPE.load(tmp_path / "t.json")
    assert (again.vocab, again.merges, again.specials, again.unk) == (
        ours.vocab,
        ours.merges,
        ("<pad>", "<unk>"),
        "<unk>",
    )
    assert [again.encode(text) for text in TEXTS] == [ours.encode(text) for text in TEXTS]


def test_single_spaces_come_back(ours: BPE) -> None:
    for text in NORMAL:
        assert ours.decode(ours.encode(text)) == text
        assert ("".join(ours.pieces(text)) == text) == isinstance(ours.splitter, Letters)
    assert ours.decode([0, *ours.encode(NORMAL[0]), 0]) == NORMAL[0]
    assert ours.encode("") == []
    assert ours.decode([]) == ""


def test_letters_never_merge(tmp_path: Path) -> None:
    letters = BPE.train(["ab ab\n"], 100, Letters(), ["<start>"])
    assert letters.vocab == {"<start>": 0, "\n": 1, " ": 2, "a": 3, "b": 4}
    assert letters.merges == []
    assert letters.encode("a \nb") == [3, 2, 1, 4]
    assert letters.decode([0, 3, 2, 1, 4]) == "a \nb"
    letters.save(tmp_path / "t.json")
    assert BPE.load(tmp_path / "t.json").vocab == letters.vocab
    with pytest.raises(InputError, match="text: got 'c', need characters seen in training"):
        letters.encode("abc")


def test_clear_and_fast_training_agree(ours: BPE) -> None:
    assert BPE.train(TEXTS, 420, ours.splitter, SPECIALS, "<unk>", learn=bpe.learn).merges == ours.merges


def test_a_cut_tokeniser_is_a_smaller_one(ours: BPE) -> None:
    size = len(ours) - min(9, len(ours.merges))
    small, cut = BPE.train(TEXTS, size, ours.splitter, SPECIALS, "<unk>"), ours.cut(size)
    assert (cut.vocab, cut.merges) == (small.vocab, small.merges)
    assert [cut.encode(text) for text in TEXTS] == [small.encode(text) for text in TEXTS]
    with pytest.raises(InputError, match=rf"vocab_size: got 900, need \d+ to {len(ours)}"):
        ours.cut(900)


def test_unknown_letters() -> None:
    with_unk = BPE.train(["ab ab"], 10, Spaces(), ["<unk>"], "<unk>")
    assert with_unk.pieces("azzb") == ["▁", "a", "<unk>", "<unk>", "b"]
    assert with_unk.decode(with_unk.encode("azzb")) == "ab"
    without = BPE.train(["ab ab"], 10, Spaces())
    with pytest.raises(
        InputError, match=r"text: got 'z', need characters seen in training \(this tokeniser has no unk\)"
    ):
        without.encode("az")


def test_a_text_never_encodes_to_a_special(level: BPE) -> None:
    for splitter in SPLITTERS:
        ours = BPE.train(["<pad> <pad> <unk>"], 400, splitter, SPECIALS, "<unk>")
        assert 0 not in ours.encode("<pad>")


def test_parts_of_a_character_become_replacement_marks(level: BPE) -> None:
    ids = level.encode("☃")
    assert len(ids) > 1
    assert level.decode(ids[:1]) == "\ufffd"
    assert level.decode(ids[:1]) == their_level().decode(ids[:1])


def test_byte_characters() -> None:
    characters = byte_characters()
    assert len(set(characters)) == 256
    assert (characters[ord(" ")], characters[ord("\n")], characters[ord("a")]) == ("Ġ", "Ċ", "a")
    assert sorted(characters) == sorted(pre_tokenizers.ByteLevel.alphabet())


def test_wrong_input(level: BPE) -> None:
    with pytest.raises(InputError, match="texts: got 'nothing', need some text to learn from"):
        BPE.train([], 300, Bytes())
    with pytest.raises(InputError, match="vocab_size: got 100, need at least 256: the symbols alone take that"):
        BPE.train(["a"], 100, Bytes())
    with pytest.raises(InputError, match="ids: got 330, need ids of this vocabulary of 330 tokens"):
        level.decode([330])
    with pytest.raises(InputError, match=r"merges: got \('a', 'b'\), need symbols of the vocabulary, also when merged"):
        BPE(Bytes(), {"a": 0, "b": 1}, [("a", "b")])
    with pytest.raises(InputError, match="specials: got .*'<pad>'.*, need tokens of the vocabulary"):
        BPE(Bytes(), {"a": 0}, [], ["<pad>"])
    with pytest.raises(InputError, match="text: got '</w>', need a text without the end-of-word mark"):
        BPE.train(["a </w>"], 300, EndMark())


def broken(name: str, value: object) -> dict[str, object]:
    content = json.loads(library(Bytes()).to_str())
    (content["model"] if name in content["model"] else content)[name] = value
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "model: got None, need a tokenizer.json whose model is BPE"),
        ({}, "model: got no 'model', need vocab and merges"),
        ({"model": {"type": "Unigram"}}, "model: got 'Unigram', need a tokenizer.json whose model is BPE"),
        (broken("dropout", 0.1), "dropout: got 0.1, need 0.0: nothing else is built here"),
        (broken("byte_fallback", True), "byte_fallback: got True, need False"),
        (broken("normalizer", {"type": "NFC"}), "normalizer: got .*NFC.*, need none"),
        (broken("post_processor", {"type": "BertProcessing"}), "post_processor: got 'BertProcessing', need none"),
        (
            broken("pre_tokenizer", {"type": "BertPreTokenizer"}),
            "pre_tokenizer: got .*BertPreTokenizer.* need ByteLevel",
        ),
        (broken("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}), "pre_tokenizer: got .*True"),
        (broken("pre_tokenizer", None), "pre_tokenizer: got {}"),
        (broken("end_of_word_suffix", "</w>"), "with suffix '</w>', need ByteLevel, Metaspace"),
    ],
)
def test_files_that_ask_for_more(content, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        BPE.load(path)


def test_damaged_files(level: BPE, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with pytest.raises(InputError, match=r"path: cannot read '.*t\.json'.*No such file"):
        BPE.load(path)
    level.save(path)
    path.write_text(path.read_text()[:1000])
    with pytest.raises(InputError, match=r"path: cannot read '.*t\.json'"):
        BPE.load(path)


def test_real_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    other = Tokenizer(models.BPE())
    other.normalizer = normalizers.Lowercase()
    other.save(str(tmp_path / "t.json"))
    with pytest.raises(InputError, match="normalizer"):
        BPE.load(tmp_path / "t.json")
