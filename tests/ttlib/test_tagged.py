"""Tagged texts: what an entity is, how many were found, and a split that repeats nothing."""

import random
from collections.abc import Callable

import pytest

from ttlib.data.tagged import Tagged, TagScore, entity_score, entity_spans, split_tagged
from ttlib.errors import InputError

TAGS = ["O", "B-a", "I-a", "B-b-c", "I-b-c"]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", set()),
        ("O O", set()),
        ("B-a", {(0, 1, "a")}),
        ("O B-a I-a I-a O", {(1, 4, "a")}),
        ("B-a B-a I-a", {(0, 1, "a"), (1, 3, "a")}),
        ("B-geo-loc I-geo-loc", {(0, 2, "geo-loc")}),
        ("B-a I-b I-b", {(0, 1, "a"), (1, 3, "b")}),  # as conlleval: another type begins an entity …
        ("O I-a I-a O", {(1, 3, "a")}),  # … and so does I without B
        ("I-a B-a", {(0, 1, "a"), (1, 2, "a")}),
        ("B I O I B", {(0, 2, ""), (3, 4, ""), (4, 5, "")}),
        ("B-a I", {(0, 1, "a"), (1, 2, "")}),
    ],
)
def test_entities(tags: str, spans: set[tuple[int, int, str]]) -> None:
    assert entity_spans(tags.split()) == spans


@pytest.mark.parametrize("tag", ["", "o", "X", "E-a", "B-", "Bperson", "O-a"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(InputError) as caught:
        entity_spans(["O", tag])
    assert str(caught.value) == f"tags: got {tag!r}, need O, B or I; the last two may have a type, as in B-person"


Spans = Callable[[list[str]], set[tuple[int, int, str]]]


def slow_spans(tags: list[str]) -> set[tuple[int, int, str]]:
    """Every stretch is looked at: begun, gone on with, and not to be gone on with."""
    found = set()
    for start in range(len(tags)):
        for end in range(start + 1, len(tags) + 1):
            kind, inside = tags[start][2:], f"I-{tags[start][2:]}"
            before = tags[start - 1] if start else "O"
            begins = tags[start][0] == "B" or (tags[start][0] == "I" and before not in (f"B-{kind}", inside))
            closed = end == len(tags) or tags[end] != inside
            if begins and closed and all(tag == inside for tag in tags[start + 1 : end]):
                found.add((start, end, kind))
    return found


def only_from_b(tags: list[str]) -> set[tuple[int, int, str]]:
    """Another rule: I without B is nothing."""
    return {span for span in slow_spans(tags) if tags[span[0]][0] == "B"}


def differences(spans: Spans) -> int:
    """In how many of 2,000 random pairs another way to find entities gives another score."""
    draw, n = random.Random(0), 0
    for _ in range(2_000):
        wanted = [draw.choices(TAGS, [4, 1, 1, 1, 1], k=draw.randint(0, 8)) for _ in range(draw.randint(0, 3))]
        predicted = [[tag if draw.random() < 0.7 else draw.choice(TAGS) for tag in tags] for tags in wanted]
        ours = {(text, *span) for text, tags in enumerate(predicted) for span in spans(tags)}
        theirs = {(text, *span) for text, tags in enumerate(wanted) for span in spans(tags)}
        precision, recall = len(ours & theirs) / max(len(ours), 1), len(ours & theirs) / max(len(theirs), 1)
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        n += entity_score(predicted, wanted) != pytest.approx((precision, recall, f1), abs=1e-12)
    return n


def test_the_score_is_that_of_a_slow_reference() -> None:
    assert differences(slow_spans) == 0


def test_another_rule_gives_other_scores() -> None:
    assert differences(only_from_b) > 500


def test_a_score_by_hand() -> None:
    wanted = [["B-a", "I-a", "O", "B-b"], ["B-a", "O"]]
    predicted = [["B-a", "O", "O", "B-b"], ["B-b", "B-a"]]  # cut short, right, wrong type, beside it
    assert entity_score(predicted, wanted) == TagScore(1 / 4, 1 / 3, 2 / 7)
    assert entity_score(wanted, predicted) == TagScore(1 / 3, 1 / 4, 2 / 7)
    assert entity_score(wanted, wanted) == TagScore(1, 1, 1)


def test_nothing_predicted_and_nothing_wanted() -> None:
    assert entity_score([["O"]], [["B-a"]]) == entity_score([["B-a"]], [["O"]]) == entity_score([], []) == (0, 0, 0)


@pytest.mark.parametrize(
    ("predicted", "wanted", "message"),
    [
        ([["O"]], [], "predicted: got '1 lists', need 0, as many as wanted"),
        ([["O"], ["O"]], [["O"], ["O", "O"]], "predicted[1]: got '1 tags', need 2, as many as wanted[1]"),
    ],
)
def test_lists_of_unequal_length(predicted: list[list[str]], wanted: list[list[str]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        entity_score(predicted, wanted)
    assert str(caught.value) == message


def toy(n: int) -> list[Tagged]:
    return [Tagged(["text", str(i)], ["O", "B-a"]) for i in range(n)]


def test_every_text_stands_in_one_part() -> None:
    split = split_tagged([*toy(100), *toy(30)])
    assert (len(split.train), len(split.valid), len(split.test)) == (70, 10, 20)
    assert sorted([*split.train, *split.valid, *split.test]) == sorted(toy(100))
    split = split_tagged(toy(10), valid=0.3, test=0.0)
    assert (len(split.train), len(split.valid), len(split.test)) == (7, 3, 0)


def test_a_text_tagged_in_two_ways_is_left_out() -> None:
    split = split_tagged([*toy(10), Tagged(["text", "3"], ["O", "O"])])
    assert sorted([*split.train, *split.valid, *split.test]) == sorted(text for text in toy(10) if text.words[1] != "3")


def test_the_seed_decides_and_the_order_of_the_file_does_not() -> None:
    split = split_tagged(toy(50))
    assert split == split_tagged(reversed(toy(50)), seed=0)
    assert split != split_tagged(toy(50), seed=1)
    assert split.train != sorted(split.train)


@pytest.mark.parametrize(("valid", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.2, -0.1)])
def test_shares_that_leave_nothing(valid: float, test: float) -> None:
    with pytest.raises(InputError, match=r"valid \+ test: got .*, need shares that leave some to train on"):
        split_tagged(toy(10), valid, test)


def test_a_text_with_too_few_tags() -> None:
    with pytest.raises(InputError, match="texts: got '2 words, 1 tags', need a tag for each word"):
        split_tagged([Tagged(["a", "b"], ["O"])])
