"""Labels find their tokens: classes, spans of characters, tags of words; batches are filled up and repeatable."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data.labelled import (
    IGNORE,
    Example,
    LabelledBatches,
    label_span,
    label_texts,
    label_words,
    labelled_batch,
)
from ttlib.errors import InputError
from ttlib.text.wordpiece import CLS_ID, SEP_ID, WordPiece

PASSAGE = "Café owners unforgivingly closed. Nobody came, though!"
PIECES = WordPiece.train(["cafe closed nobody came though owners un for giving ly ! . ,"] * 3, 60)


def shown(ids: list[int]) -> str:
    return "".join(PIECES.pieces(ids)).replace("##", "")


def test_texts_and_pairs_have_their_class() -> None:
    a, b = label_texts(PIECES.tokenizer, ["Nobody came", ("Nobody", "closed!")], [1, 0])
    assert (a.ids[0], a.ids[-1], a.target, set(a.segments)) == (CLS_ID, SEP_ID, 1, {0})
    assert (b.ids, b.segments) == PIECES.encode_pair("Nobody", "closed!")
    assert b.target == 0


@given(st.data())
def test_a_span_of_characters_becomes_its_tokens(data: st.DataObject) -> None:
    words = PASSAGE.replace(".", " .").replace(",", " ,").replace("!", " !").split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    start = PASSAGE.index(words[first])
    end = PASSAGE.index(words[last]) + len(words[last])
    example = label_span(PIECES.tokenizer, "Who came?", PASSAGE, start, end)
    i, j = example.target
    assert example.segments[i] == example.segments[j] == 1
    assert shown(example.ids[i : j + 1]) == "".join(words[first : last + 1]).lower().replace("é", "e")


def test_a_span_that_cuts_a_word_takes_the_piece_that_it_touches() -> None:
    start = PASSAGE.index("forgiv")
    example = label_span(PIECES.tokenizer, "?", PASSAGE, start, start + 1)
    i, j = example.target
    assert i == j
    assert "f" in shown(example.ids[i : j + 1])


def test_the_first_piece_of_a_word_has_its_tag() -> None:
    example = label_words(PIECES.tokenizer, ["Nobody", "un-forgivingly", "came"], [3, 7, 5])
    asked = [(i, tag) for i, tag in enumerate(example.target) if tag != IGNORE]
    assert [tag for _, tag in asked] == [3, 7, 5]
    assert [shown([example.ids[i]])[0] for i, _ in asked] == ["n", "u", "c"]
    assert len(example.ids) > 5 + 2  # some words have several pieces
    assert example.target[0] == example.target[-1] == IGNORE


def test_batches_are_filled_up() -> None:
    rows = [Example([2, 7, 3], [0, 0, 0], [IGNORE, 4, IGNORE]), Example([2, 7, 8, 9, 3], [0, 0, 0, 1, 1], [IGNORE] * 5)]
    batch = labelled_batch(rows)
    assert batch.ids.shape == batch.segments.shape == batch.targets.shape == (2, 8)
    assert batch.ids[0].tolist() == [2, 7, 3, 0, 0, 0, 0, 0]
    assert batch.targets[0].tolist() == [IGNORE, 4, *[IGNORE] * 6]
    assert labelled_batch([row._replace(target=1) for row in rows]).targets.tolist() == [1, 1]
    assert labelled_batch([row._replace(target=(1, 2)) for row in rows]).targets.tolist() == [[1, 2], [1, 2]]


def test_an_epoch_has_every_example_once_and_can_be_entered_anywhere() -> None:
    examples = [Example([2, i, 3], [0] * 3, i) for i in range(10)]
    batches = LabelledBatches(examples, 4, seed=1)
    first = [batch.targets.tolist() for batch, _ in batches.epoch(0)]
    assert sorted(i for part in first for i in part) == list(range(10))
    assert [len(part) for part in first] == [4, 4, 2]
    assert first == [batch.targets.tolist() for batch, _ in batches.epoch(0)]
    assert first[1:] == [batch.targets.tolist() for batch, _ in batches.epoch(0, start=1)]
    assert first != [batch.targets.tolist() for batch, _ in batches.epoch(1)]
    assert first != [batch.targets.tolist() for batch, _ in LabelledBatches(examples, 4, seed=2).epoch(0)]


def test_what_is_asked_is_counted() -> None:
    tagged = [label_words(PIECES.tokenizer, ["Nobody", "unforgivingly", "came"], [3, 7, 5])] * 2
    ((_, n),) = LabelledBatches(tagged, 2).epoch(0)
    assert n == 6
    ((_, n),) = LabelledBatches([e._replace(target=(1, 2)) for e in tagged], 2).epoch(0)
    assert n == 4


def test_bad_input() -> None:
    tokenizer = PIECES.tokenizer
    for call, message in (
        (lambda: label_texts(tokenizer, ["a"], [1, 2]), "labels: got 2, need 1, one for each text"),
        (lambda: label_words(tokenizer, ["a", "b"], [1]), "tags: got 1, need 2, one for each word"),
        (lambda: label_span(tokenizer, "a", "bc", 1, 3), r"start, end: got \(1, 3\), need a span within 2 char"),
        (lambda: label_span(tokenizer, "a", "b  c", 1, 3), r"start, end: got \(1, 3\), need an answer that has tok"),
        (lambda: labelled_batch([]), "examples: got 0, need at least one"),
        (lambda: LabelledBatches([], 3), "examples: got 0, need at least one"),
        (lambda: LabelledBatches([Example([2], [0], 1)], 0), "size: got 0, need a positive number"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_a_batch_goes_to_a_device_whole() -> None:
    moved = labelled_batch([Example([2, 3], [0, 0], 1)]).to(torch.device("meta"))
    assert {value.device.type for value in vars(moved).values()} == {"meta"}
