"""Documents: sentences found, chapters held out in every edition, ids where they should be."""

import pytest
import torch

from ttlib.data.documents import (
    ENGLISH,
    Document,
    bible_documents,
    encode_documents,
    held_out_chapters,
    load_documents,
    sentences,
)
from ttlib.data.translation import TranslationData, load_split
from ttlib.errors import InputError
from ttlib.text.wordpiece import WordPiece


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I saw it. It was good!", ["I saw it.", "It was good!"]),
        ('He said: "Go!" And I went... Really?', ['He said: "Go!"', "And I went...", "Really?"]),
        ("It cost 3.5 million. 10 people came.", ["It cost 3.5 million.", "10 people came."]),
        ("no end", ["no end"]),
        ("one. two", ["one. two"]),
        ("(Good.) (Bad.)", ["(Good.)", "(Bad.)"]),
        ("  ", []),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    assert sentences(text) == wanted
    assert "".join("".join(wanted).split()) == "".join(text.split())  # nothing is lost


def test_chapters() -> None:
    chapters = dict(bible_documents("king_james"))
    assert len(chapters) == 1189
    assert chapters["1:1"].sentences[0] == "In the beginning God created the heaven and the earth."
    assert len(chapters["1:1"].sentences) == 31
    assert {document.collection for document in chapters.values()} == {"king_james"}


def test_no_held_out_chapter_is_learnt_from() -> None:
    split = load_documents(ENGLISH)
    held_out = {pair.group for part in ("valid", "test") for pair in getattr(load_split(TranslationData()), part)}
    assert held_out == held_out_chapters()
    assert len(held_out) == 71  # 2 % and 4 % of 1,187
    for edition in ENGLISH:
        chapters = {tuple(document.sentences): number for number, document in bible_documents(edition)}
        learnt = {chapters[tuple(d.sentences)] for d in split.train if d.collection == edition}
        judged = {chapters[tuple(d.sentences)] for d in split.valid if d.collection == edition}
        assert judged == held_out
        assert not learnt & held_out
        assert len(learnt | judged) == 1189


def test_reviews_are_split() -> None:
    split = load_documents(["reviews"])
    assert len(split.valid) == round(0.04 * (len(split.valid) + len(split.train)))
    assert not {tuple(d.sentences) for d in split.valid} & {tuple(d.sentences) for d in split.train}
    n = sum(len(d.sentences) for d in split.train) / len(split.train)
    assert 8 < n < 16  # sentences a review


def test_encoded_documents() -> None:
    documents = [
        Document("x", ["One two three.", "Four."]),
        Document("y", ["Five six."]),
        Document("x", [" ", "Two two two."]),
    ]
    pieces = WordPiece.train([s for d in documents for s in d.sentences], 60)
    corpus = encode_documents(documents, pieces)
    assert corpus.n_documents == 3
    assert corpus.groups == [[0, 2], [1]]
    assert corpus.first == [0, 2, 3, 4]  # the empty sentence is gone
    found = [pieces.decode(corpus.ids[a:b].tolist()) for a, b in zip(corpus.starts, corpus.starts[1:], strict=False)]
    assert found == ["one two three.", "four.", "five six.", "two two two."]
    assert corpus.starts[-1] == len(corpus.ids)
    assert corpus.ids.dtype == torch.int16


def test_bad_documents() -> None:
    with pytest.raises(InputError, match="collections: got 'synodal', need reviews or one of basic, world, king_james"):
        load_documents(["synodal"])
    with pytest.raises(InputError, match="documents: got 0, need at least one"):
        encode_documents([], WordPiece.train(["a b"], 20))
