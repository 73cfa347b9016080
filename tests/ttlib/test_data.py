"""Corpora, splits, batches, tokenisers, lexicon."""

import gettext
import re
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data import cataclysm
from ttlib.data.bible import clean, verse_pairs
from ttlib.data.cataclysm import message_pairs, sentences
from ttlib.data.pairs import IdPair, PairBatches, batches_by_tokens, collate, n_tokens, share_of_padding
from ttlib.data.records import Pair, split_by_group
from ttlib.data.translation import TranslationData, load_split, to_ids, train_tokenisers, training_pairs
from ttlib.errors import InputError
from ttlib.text.lexicon import learn_lexicon, word_for_word
from ttlib.text.subwords import Subwords

lengths = st.lists(st.tuples(st.integers(1, 12), st.integers(2, 12)), min_size=1, max_size=40)


def pairs_of(sizes: list[tuple[int, int]]) -> list[IdPair]:
    return [([5] * s, [1, *([6] * (t - 2)), 2]) for s, t in sizes]


@pytest.fixture(scope="module")
def verses() -> list[Pair]:
    return list(verse_pairs())


def test_verses(verses: list[Pair]) -> None:
    assert len(verses) == 26_926
    assert verses[0] == Pair(
        "В начале сотворил Бог небо и землю.", "At the first God made the heaven and the earth.", "1:1"
    )
    assert not {"19:13", "19:90"} & {p.group for p in verses}
    assert not any(re.search(r"\(\d+:\d+\)", p.src) or "*" in p.tgt or p.tgt == "..." for p in verses)
    assert max(max(len(p.src.split()), len(p.tgt.split())) for p in verses) == 40


def test_clean() -> None:
    assert clean("(21:1) Псалом.  (21:2) Боже мой!") == "Псалом. Боже мой!"
    assert clean("`Don`t [it is]* “so”") == "'Don't it is \"so\""


def test_no_chapter_stands_in_two_parts(verses: list[Pair]) -> None:
    split = split_by_group(verses)
    groups = [{p.group for p in part} for part in (split.train, split.valid, split.test)]
    assert len(set.union(*groups)) == sum(map(len, groups))
    assert sum(len(part) for part in (split.train, split.valid, split.test)) == len(verses)
    assert split == split_by_group(verses)
    assert split != split_by_group(verses, seed=1)


def test_no_edition_brings_a_held_out_chapter_back() -> None:
    data = TranslationData(editions="basic,world")
    split = load_split(data)
    held_out = {p.group for p in [*split.valid, *split.test]}
    tagged = training_pairs(data, split)
    assert {t.edition for t in tagged} == {"basic", "world"}
    assert not held_out & {t.pair.group for t in tagged}
    src, tgt = train_tokenisers(tagged[:1000] + tagged[-1000:], 800, 700)
    (s, t), *_ = to_ids(tagged[-1:], src, tgt)
    assert tgt.tokenizer.id_to_token(t[0]) == "<world>"
    assert (s[-1], t[-1]) == (2, 2)
    assert tgt.decode(t) == tagged[-1].pair.tgt
    with pytest.raises(InputError, match="editions: got 'welsh', need synodal"):
        TranslationData(editions="basic,welsh")


@given(lengths, st.integers(24, 90), st.integers(0, 5))
def test_every_pair_is_in_one_batch_within_the_budget(sizes: list[tuple[int, int]], budget: int, seed: int) -> None:
    pairs = pairs_of(sizes)
    batches = batches_by_tokens(pairs, budget, torch.Generator().manual_seed(seed))
    assert sorted(i for rows in batches for i in rows) == list(range(len(pairs)))
    for rows in batches:
        wide = max(len(pairs[i][0]) for i in rows) + max(len(pairs[i][1]) - 1 for i in rows)
        assert wide * len(rows) <= budget
    assert 0 <= share_of_padding(pairs, batches) < 1
    assert batches == batches_by_tokens(pairs, budget, torch.Generator().manual_seed(seed))


@given(lengths, st.integers(1, 3), st.integers(0, 3))
def test_ranks_together_see_what_one_process_sees(sizes: list[tuple[int, int]], world: int, start: int) -> None:
    pairs = pairs_of(sizes)
    whole = list(PairBatches(pairs, 60).epoch(2))
    parts = [list(PairBatches(pairs, 60, 0, rank, world).epoch(2, start)) for rank in range(world)]
    for (one, total), *several in zip(whole[start:], *parts, strict=True):
        assert all(n == total for _, n in several)
        assert sum(int((b.tgt_out != 0).sum()) for b, _ in several) == total == int((one.tgt_out != 0).sum())


def test_collate() -> None:
    batch = collate([([5, 6, 2], [1, 7, 2]), ([5, 2], [1, 7, 8, 2])])
    assert batch.src.tolist() == [[5, 6, 2], [5, 2, 0]]
    assert batch.tgt_in.tolist() == [[1, 7, 2], [1, 7, 8]]
    assert batch.tgt_out.tolist() == [[7, 2, 0], [7, 8, 2]]
    assert n_tokens([([5], [1, 7, 2])]) == 2
    eights = collate([([5, 6, 2], [1, 7, 2])], multiple=8)
    assert eights.src.shape == eights.tgt_in.shape == (1, 8)


def write_mo(path: Path, messages: dict[str, str]) -> None:
    """GNU's binary catalogue: two tables of (length, offset), then the strings."""
    keys = sorted(messages, key=lambda key: key.encode())
    strings = [text.encode() for text in [*keys, *(messages[key] for key in keys)]]
    n, offset, table, blob = len(keys), 28 + 16 * len(keys), b"", b""
    for text in strings:
        table += struct.pack("<II", len(text), offset + len(blob))
        blob += text + b"\0"
    path.write_bytes(struct.pack("<7I", 0x950412DE, 0, n, 28, 28 + 8 * n, 0, offset) + table + blob)


def test_messages_of_the_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mo(
        tmp_path / "x.mo",
        {
            "": "Content-Type: text/plain; charset=UTF-8\n",
            "I go home. You stay.": "Я иду домой. Ты остаёшься.",
            "Hit %s!": "Ударить %s!",
            "noun\x04yogurt": "йогурт",
            "One. Two.": "Один и два.",
        },
    )
    with (tmp_path / "x.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Hit %s!") == "Ударить %s!"
    monkeypatch.setattr(cataclysm, "verified", lambda source: tmp_path / "x.mo")
    found = {(p.src, p.tgt) for p in message_pairs()}
    assert found == {("Я иду домой.", "I go home."), ("Ты остаёшься.", "You stay."), ("йогурт", "yogurt")}
    assert sentences("Тест", "no {markup}") == []


def test_tokeniser_round_trip_and_file(verses: list[Pair], tmp_path: Path) -> None:
    words = Subwords.train((p.tgt for p in verses[:3000]), 600, tags=["<basic>"])
    assert len(words) == 600
    assert [words.id_of(t) for t in ("<pad>", "<bos>", "<eos>", "<unk>", "<basic>")] == [0, 1, 2, 3, 4]
    texts = [p.tgt for p in verses[:500]]
    assert [words.decode(ids) for ids in words.encode(texts)] == texts
    words.save(tmp_path / "t.json")
    again = Subwords.load(tmp_path / "t.json")
    assert again.encode(texts) == words.encode(texts)
    assert 3 in words.encode(["Ж"])[0]
    (tmp_path / "t.json").write_text("{")
    with pytest.raises(InputError, match="tokenizer: cannot read"):
        Subwords.load(tmp_path / "t.json")


def test_lexicon_explains_words_by_where_they_recur() -> None:
    pairs = [("дом", "house"), ("большой дом", "big house"), ("большой кот", "big cat"), ("кот", "cat")]
    lexicon = learn_lexicon(pairs)
    assert lexicon == {"дом": "house", "большой": "big", "кот": "cat"}
    assert word_for_word("Большой, новый кот!", lexicon) == "Big, cat!"
    with pytest.raises(InputError, match="pairs: got 0, need at least one"):
        learn_lexicon([])
