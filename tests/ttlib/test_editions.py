"""Same verse or not, and find the verse: right labels, nothing that gives them away, baselines with known scores."""

import re
from collections import Counter
from itertools import product

import pytest

from ttlib.data.documents import held_out_chapters
from ttlib.data.editions import (
    EDITION_PAIR,
    NEAR,
    Place,
    VersePair,
    VerseQuestion,
    ask,
    find_verse,
    jaccard,
    pair_verses,
    part_texts,
    same_verse,
    unequal,
)
from ttlib.data.overlap import Overlap, closest, learn_threshold, span_score, words
from ttlib.errors import InputError

Toy = dict[Place, str]


def toy(chapters: int = 8, verses: int = 10, length: int = 7) -> tuple[Toy, Toy]:
    """Two editions in which every verse has words of its own, x1c2v3… and y1c2v3…."""
    places = [(1, chapter, verse) for chapter in range(1, chapters + 1) for verse in range(1, verses + 1)]
    a, b = (
        {p: " ".join(f"{name}{p[1]}c{p[2]}v{i}".translate(LETTERS) for i in range(length)) for p in places}
        for name in "xy"
    )
    return a, b


LETTERS = str.maketrans("0123456789", "qrstuwzklm")


def apart(pair: VersePair, a: Toy, b: Toy) -> tuple[Place, Place]:
    """The places of a toy pair's two texts."""
    (x,) = [place for place, text in a.items() if text == pair.a]
    (y,) = [place for place, text in b.items() if text == pair.b]
    return x, y


@pytest.mark.parametrize("hard", [0.0, 0.25, 1.0])
def test_labels_and_neighbours(hard: float) -> None:
    a, b = toy()
    pairs = pair_verses(a, b, hard)
    assert len(pairs) == 80
    near = 0
    for pair in pairs:
        x, y = apart(pair, a, b)
        assert pair.label == (x == y)
        near += x[:2] == y[:2] and 1 <= abs(x[2] - y[2]) <= NEAR
        assert x[:2] != y[:2] or abs(x[2] - y[2]) <= NEAR
    assert near == round(hard * 40)


def test_the_seed_decides_and_the_share_changes_false_texts_only() -> None:
    a, b = toy()
    pairs = pair_verses(a, b)
    assert pairs == pair_verses(dict(reversed(a.items())), b)
    assert pairs != pair_verses(a, b, seed=1)
    assert [pair.label for pair in pairs] != sorted(pair.label for pair in pairs)
    assert {(pair.a, pair.label) for pair in pairs} == {(pair.a, pair.label) for pair in pair_verses(a, b, 0.0)}


def test_verses_that_say_the_same_are_no_false_pair() -> None:
    a, b = toy(chapters=1, verses=2)
    assert len(pair_verses(a, b)) == 2
    for edition, other in ((a, b), (b, a)):  # a refrain in one edition is enough
        refrain = edition | {(1, 1, 2): edition[1, 1, 1]}
        assert pair_verses(refrain, other) == pair_verses(other, refrain) == []


def test_short_long_and_unequal_verses_are_left_out() -> None:
    a, b = toy(chapters=1, verses=2)
    assert pair_verses(a, b | {(1, 1, 1): "only five words of text"}) == []
    assert pair_verses(a, b | {(1, 1, 1): "word " * 26}) == []
    assert pair_verses(a, b | {(1, 1, 1): b[1, 1, 1] + " and a few words more"}) == []
    assert pair_verses(a, {(1, 1, 1): b[1, 1, 1]}) == []  # the other edition lacks a verse
    assert [unequal(*two) for two in (("a b", "c d"), ("a b", "a bcdefghi"), ("a b", "a b c"))] == [0, 7, 5]


@pytest.fixture(scope="module")
def pairs() -> dict[str, list[VersePair]]:
    return {part: same_verse(part) for part in ("train", "test")}


def test_the_real_pairs(pairs: dict[str, list[VersePair]]) -> None:
    assert {part: len(found) for part, found in pairs.items()} == {"train": 8706, "test": 538}
    for part, found in pairs.items():
        a, b = part_texts(part, EDITION_PAIR)
        assert sum(pair.label for pair in found) == len(found) / 2
        assert len({pair.a for pair in found}) == len(found)  # though Numbers 7 says the same twelve times
        assert {len(text.split()) for pair in found for text in pair[:2]} <= set(range(6, 26))
        same = {(a[place], b[place]) for place in a}
        assert all(((pair.a, pair.b) in same) == pair.label for pair in found)


@pytest.fixture(scope="module")
def overlap() -> Overlap:
    """Rarity counted on the chapters to train on."""
    return Overlap(text for edition in part_texts("train", EDITION_PAIR) for text in edition.values())


def length_only(found: list[VersePair]) -> float:
    """The best share of right labels that one threshold on lengths can reach, in whatever direction."""
    labels = [pair.label for pair in found]
    best = 0.0
    rules = (lambda x, y: abs(x - y), lambda x, y: x, lambda x, y: y, lambda x, y: x / y)
    for size, rule, sign in product((len, lambda text: len(text.split())), rules, (1.0, -1.0)):
        scores = [sign * rule(size(pair.a), size(pair.b)) for pair in found]
        best = max(best, learn_threshold(scores, labels)[1])
    return best


def test_lengths_do_not_tell(pairs: dict[str, list[VersePair]]) -> None:
    for found in (pairs["train"], same_verse("train", hard=0.0)):
        assert length_only(found) <= 0.55


def test_mutant_lengths_tell_when_false_texts_come_from_anywhere(pairs: dict[str, list[VersePair]]) -> None:
    false = [pair for pair in pairs["train"] if not pair.label]
    mixed = [VersePair(x.a, y.b, 0) for x, y in zip(false, false[1:] + false[:1], strict=True)]
    assert length_only([pair for pair in pairs["train"] if pair.label] + mixed) > 0.65


def test_overlap_on_pairs(pairs: dict[str, list[VersePair]], overlap: Overlap) -> None:
    threshold, accuracy = learn_threshold(
        [overlap(pair.a, pair.b) for pair in pairs["train"]], [pair.label for pair in pairs["train"]]
    )
    right = sum((overlap(pair.a, pair.b) >= threshold) == pair.label for pair in pairs["test"])
    assert accuracy == pytest.approx(0.917, abs=0.002)
    assert right / 538 == pytest.approx(0.900, abs=0.002)


def test_questions_by_hand() -> None:
    a, b = toy(chapters=2, verses=7)
    found = ask(a, b, 3)
    assert len(found) == 2 * 2 * 3  # the seventh verses are left over
    for question in found:
        place = next(place for place, text in b.items() if text == question.question)
        assert question.passage[question.start : question.end] == a[place]
        first = (place[2] - 1) // 3 * 3 + 1
        run = [a[place[0], place[1], verse] for verse in range(first, first + 3)]
        assert question.passage == " ".join(run)
        assert [question.passage[start:end] for start, end in question.verses] == run
    assert found == ask(dict(reversed(a.items())), b, 3)
    assert sorted(found) == sorted(ask(a, b, 3, seed=1)) != ask(a, b, 3, seed=1)


def test_passages_go_round_gaps_and_refrains() -> None:
    a, b = toy(chapters=1, verses=5)
    assert passages(ask(a, {place: text for place, text in b.items() if place[2] != 2}, 2)) == {(3, 4)}
    assert passages(ask(a | {(1, 1, 2): a[1, 1, 1]}, b, 2)) == {(2, 3), (4, 5)}  # 1 and 2 are the same: 2 begins anew
    assert passages(ask(a, b | {(1, 1, 3): "word " * 41}, 2)) == {(1, 2), (4, 5)}
    assert passages(ask({(1, c, v): text for (_, c, v), text in a.items()} | {(1, 2, 6): "x"}, b, 6)) == set()


def passages(found: list[VerseQuestion]) -> set[tuple[int, ...]]:
    """The verses' numbers of each passage of a toy, read off the words; a repeated verse 1 stands for verse 2."""
    back = str.maketrans("qrstuwzklm", "0123456789")
    numbers = (re.findall(r"y1c(\d+)v0", q.question.translate(back)) for q in found)
    runs: dict[str, set[int]] = {}
    for question, (number,) in zip(found, numbers, strict=True):
        runs.setdefault(question.passage, set()).add(int(number))
    return {tuple(sorted(run)) for run in runs.values()}


@pytest.mark.parametrize(("n", "sizes"), [(3, (20_307, 1_233)), (5, (16_785, 1_040))])
def test_the_real_questions(n: int, sizes: tuple[int, int], overlap: Overlap) -> None:
    a, b = part_texts("test", EDITION_PAIR)
    found, train = find_verse("test", n), find_verse("train", n)
    assert (len(train), len(found)) == sizes
    same = {(b[place], a[place]) for place in a}
    assert all((q.question, q.passage[q.start : q.end]) in same for q in found)
    for questions in (train, found):
        positions = Counter(q.verses.index((q.start, q.end)) for q in questions)
        assert positions == dict.fromkeys(range(n), len(questions) // n)
    assert max(len(f"{q.question} {q.passage}".split()) for q in found) <= 40 * (n + 1)
    right = sum(closest(q.question, q.passage, q.verses, overlap) == (q.start, q.end) for q in found)
    assert right / len(found) == pytest.approx({3: 0.981, 5: 0.970}[n], abs=0.002)


def test_no_chapter_stands_in_both_parts() -> None:
    train, test = (part_texts(part, EDITION_PAIR)[0] for part in ("train", "test"))
    assert {f"{book}:{chapter}" for book, chapter, _ in test} == held_out_chapters()
    assert not {place[:2] for place in train} & {place[:2] for place in test}
    assert len(train) + len(test) == 31_102


def test_jaccard_and_words() -> None:
    assert words("God's new-born 3 sons, O!") == ["god's", "new", "born", "3", "sons", "o"]
    assert jaccard("The sea, the sky", "the SKY") == 2 / 3
    assert jaccard("", "") == 1


def test_overlap_by_hand() -> None:
    overlap = Overlap(["the sea", "the sky", "the sea"])
    assert overlap.rarity("the") == 0
    assert overlap("The sky!", "the sky") == 1
    assert overlap("the sky", "the sea") == overlap("the", "the") == overlap("", "") == 0
    sea, sky = overlap.rarity("sea"), overlap.rarity("sky")
    assert 0 < sea < sky < overlap.rarity("never seen")
    assert overlap("sea sky", "the sky sky") == sky / (sea + sky)
    assert closest("sky", "sea sky", [(0, 3), (4, 7)], overlap) == (4, 7)
    assert closest("the", "sea sky", [(0, 3), (4, 7)], overlap) == (0, 3)


@pytest.mark.parametrize(
    ("scores", "labels", "wanted"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], (3.0, 1.0)),
        ([4.0, 1.0, 3.0, 2.0], [1, 0, 0, 1], (2.0, 0.75)),
        ([1.0, 2.0], [1, 1], (1.0, 1.0)),
        ([1.0, 2.0], [0, 0], (float("inf"), 1.0)),
        ([1.0, 1.0, 1.0], [0, 0, 1], (float("inf"), 2 / 3)),
    ],
)
def test_learn_threshold(scores: list[float], labels: list[int], wanted: tuple[float, float]) -> None:
    threshold, accuracy = learn_threshold(scores, labels)
    assert (threshold, accuracy) == wanted
    right = sum((score >= threshold) == label for score, label in zip(scores, labels, strict=True))
    assert right / len(scores) == accuracy


@pytest.mark.parametrize(
    ("predicted", "wanted", "exact", "f1"),
    [
        ("The Denver Broncos!", "denver broncos", 1, 1),
        ("in the year 66", "year 66 of them", 0, 2 * 2 / (3 + 4)),  # the article of "in the year 66" does not count
        ("he he he", "he", 0, 2 * 1 / (3 + 1)),
        ("sea", "sky", 0, 0),
        ("", "sky", 0, 0),
        ("the", "", 1, 1),
    ],
)
def test_span_score(predicted: str, wanted: str, exact: float, f1: float) -> None:
    assert span_score(predicted, wanted) == (exact, pytest.approx(f1))
    assert span_score(wanted, predicted) == (exact, pytest.approx(f1))


def test_bad_input() -> None:
    a, b = toy(chapters=1)
    bad = {
        "part: got 'valid', need one of train, test": lambda: same_verse("valid"),
        "edition: got 'latin', need one of synodal": lambda: same_verse("test", editions=("latin", "basic")),
        "hard: got 1.5, need a share from 0 to 1": lambda: pair_verses(a, b, 1.5),
        r"b: got no verse of another chapter than that of \(1, 1, \d+\), need more": lambda: pair_verses(a, b, 0.0),
        "n_verses: got 1, need at least 2": lambda: ask(a, b, 1),
        "max_words: got 5, need at least 6": lambda: find_verse("test", max_words=5),
        "texts: got 0, need at least one": lambda: Overlap([]),
        r"labels: got 1, need one for each score \(2, at least 1\)": lambda: learn_threshold([1.0, 2.0], [1]),
        r"labels: got 0, need one for each score \(0, at least 1\)": lambda: learn_threshold([], []),
        "spans: got 0, need at least one": lambda: closest("a", "b", [], Overlap(["a"])),
    }
    for message, call in bad.items():
        with pytest.raises(InputError, match=message):
            call()
