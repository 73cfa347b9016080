"""Splits by group, and the translation task's data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data import translation
from ttlib.data.records import Pair, split_by_group
from ttlib.data.translation import Tagged, TranslationData, load_split, to_ids, train_tokenisers, training_pairs
from ttlib.errors import InputError

corpora = st.lists(st.builds(Pair, st.text("аб", max_size=3), st.text("ab", max_size=3), st.sampled_from("ABCDEFGHIJ")))


@given(corpora, st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.2, 0.5]))
def test_no_group_stands_in_two_parts(pairs: list[Pair], seed: int, valid: float, test: float) -> None:
    split = split_by_group(pairs, valid, test, seed)
    parts = [split.train, split.valid, split.test]
    groups = [{pair.group for pair in part} for part in parts]
    n = len({pair.group for pair in pairs})
    assert sum(map(len, groups)) == n
    assert [len(groups[1]), len(groups[2])] == [round(n * valid), round(n * test)]
    assert sorted(pair for part in parts for pair in part) == sorted(pairs)
    assert split == split_by_group(iter(pairs), valid, test, seed)


def chapters(n: int = 100, per_chapter: int = 3) -> list[Pair]:
    return [Pair(f"слово {c} {v}", f"word {c} {v}", f"1:{c}") for c in range(n) for v in range(per_chapter)]


def test_shares_and_order() -> None:
    split = split_by_group(chapters())
    assert [len(part) for part in (split.train, split.valid, split.test)] == [282, 6, 12]
    assert split.train == [pair for pair in chapters() if pair in split.train]
    assert split != split_by_group(chapters(), seed=1)
    reordered = split_by_group(chapters()[::-1])  # the groups decide, not their order in the file
    assert {p.group for p in reordered.test} == {p.group for p in split.test}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> TranslationData:
    """Two editions and the game's sentences, of a hundred chapters."""

    def verses(src: str, tgt: str, max_words: int) -> list[Pair]:
        return [pair._replace(src=f"{src} {pair.src}", tgt=f"{tgt} {pair.tgt}") for pair in chapters()]

    monkeypatch.setattr(translation, "verse_pairs", verses)
    monkeypatch.setattr(translation, "message_pairs", lambda max_words: [Pair("йогурт", "yogurt", "yogurt")])
    return TranslationData(editions="basic,basic,world,modern")


def test_no_edition_brings_a_held_out_chapter_back(small: TranslationData) -> None:
    split = load_split(small)
    assert all(pair.tgt.startswith("basic ") for pair in split.train)
    tagged = training_pairs(small, split)
    held_out = {pair.group for pair in [*split.valid, *split.test]}
    assert not held_out & {t.pair.group for t in tagged}
    counts = {name: sum(t.edition == name for t in tagged) for name in ("basic", "world", "modern")}
    assert counts == {"basic": 2 * 282, "world": 282, "modern": 1}  # named twice: seen twice


def test_every_source_meets_every_target(small: TranslationData) -> None:
    data = TranslationData(src="synodal,segond", editions="basic,world,modern")
    split = load_split(data)
    assert all(pair.src.startswith("synodal ") for pair in split.test)
    tagged = training_pairs(data, split)
    assert not {pair.group for pair in [*split.valid, *split.test]} & {t.pair.group for t in tagged}
    counts = {
        (source, target): sum(t.pair.src.startswith(source) and t.edition == target for t in tagged)
        for source in ("synodal", "segond")
        for target in ("basic", "world")
    }
    assert counts == dict.fromkeys(counts, 282)
    assert sum(t.edition == "modern" for t in tagged) == 1  # the game is in Russian only


def test_ids_begin_with_the_tag_and_end_with_eos(small: TranslationData) -> None:
    tagged = training_pairs(small, load_split(small))
    src, tgt = train_tokenisers(tagged, 80, 90)
    assert [tgt.id_of(f"<{name}>") for name in ("basic", "world", "modern")] == [4, 5, 6]
    pairs = to_ids(tagged, src, tgt)
    assert len(pairs) == len(tagged)
    for (s, t), item in zip(pairs, tagged, strict=True):
        assert (s[-1], t[-1]) == (2, 2)
        assert t[0] == tgt.id_of(f"<{item.edition}>")
        assert 2 not in s[:-1] + t[:-1]
    assert tgt.decode(pairs[0][1]) == tagged[0].pair.tgt
    assert src.decode(pairs[0][0]) == tagged[0].pair.src
    with pytest.raises(InputError, match="piece: got '<segond>', need a token of this vocabulary"):
        to_ids([Tagged(tagged[0].pair, "segond")], src, tgt)


def test_unknown_editions() -> None:
    with pytest.raises(InputError, match="editions: got 'welsh', need synodal, .* or modern"):
        TranslationData(editions="basic,welsh")
    with pytest.raises(InputError, match="editions: got '', need synodal"):
        TranslationData(editions="")
    with pytest.raises(InputError, match="editions: got 'modern,basic', need an edition of the Bible first"):
        TranslationData(editions="modern,basic")
    with pytest.raises(InputError, match="src: got 'latin', need one of synodal"):
        TranslationData(src="synodal,latin")
    with pytest.raises(InputError, match="src: got 'segond', need synodal among them: modern is translated from"):
        TranslationData(src="segond", editions="basic,modern")
