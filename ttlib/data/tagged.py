"""Words with a tag each: named entities that BIO tags spell out, their score, and a split without repeats."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ttlib.data.split import Split, deal_out
from ttlib.errors import require

TAG = re.compile(r"O|[BI](-.+)?")


class Tagged(NamedTuple):
    """The words of a text and their tags, one for each word."""

    words: list[str]
    tags: list[str]


class TagScore(NamedTuple):
    """Which share of the predicted was right, which share of the wanted was found, and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def entity_spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Start, end (the place behind the last word) and type of every entity in BIO tags.

    ``B-x`` begins an entity, ``I-x`` goes on with one of the same type. An ``I-x`` that has no such entity
    before it begins one: a model may well predict it, and conlleval, the script of CoNLL's tasks, counts so.
    Tags without types, ``B`` and ``I``, give entities of type ``""``.

    >>> sorted(entity_spans(["B-person", "I-person", "O", "I-place", "B-place"]))
    [(0, 2, 'person'), (3, 4, 'place'), (4, 5, 'place')]

    Raises:
        InputError: something else than a BIO tag stands in the list.
    """
    spans: set[tuple[int, int, str]] = set()
    start, current = 0, None  # the type of the entity that we are in; None: in none
    for place, tag in enumerate([*tags, "O"]):
        require(TAG.fullmatch(tag) is not None, "tags", tag, "O, B or I; the last two may have a type, as in B-person")
        letter, _, kind = tag.partition("-")
        if letter == "I" and kind == current:
            continue
        if current is not None:
            spans.add((start, place, current))
        start, current = place, None if letter == "O" else kind
    return spans


def entity_score(predicted: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> TagScore:
    """Precision, recall and F1 over the entities of all texts together.

    An entity is right where its two ends and its type are: the measure of CoNLL-2003 (Tjong Kim Sang &
    De Meulder 2003, section 2.4). A share of nothing is 0.

    Raises:
        InputError: there are not as many lists, or not as many tags in one, or a tag is not of BIO.
    """
    require(len(predicted) == len(wanted), "predicted", f"{len(predicted)} lists", f"{len(wanted)}, as many as wanted")
    right = n_predicted = n_wanted = 0
    for number, (ours, theirs) in enumerate(zip(predicted, wanted, strict=True)):
        same = len(ours) == len(theirs)
        require(same, f"predicted[{number}]", f"{len(ours)} tags", f"{len(theirs)}, as many as wanted[{number}]")
        found, right_ones = entity_spans(ours), entity_spans(theirs)
        right += len(found & right_ones)
        n_predicted += len(found)
        n_wanted += len(right_ones)
    return TagScore(_share(right, n_predicted), _share(right, n_wanted), _share(2 * right, n_predicted + n_wanted))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def split_tagged(texts: Iterable[Tagged], valid: float = 0.1, test: float = 0.2, seed: int = 0) -> Split[Tagged]:
    """Shuffle, and deal out to train, valid and test (shares of the texts), so that no text comes twice.

    Of texts with the same words one is kept; none, where their tags differ: nobody knows which are right.

    Raises:
        InputError: the shares leave nothing to train on, or a text has not as many tags as words.
    """
    taggings: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for words, tags in texts:
        require(len(words) == len(tags), "texts", f"{len(words)} words, {len(tags)} tags", "a tag for each word")
        taggings.setdefault(tuple(words), set()).add(tuple(tags))
    agreed = [(words, *found) for words, found in sorted(taggings.items()) if len(found) == 1]
    return deal_out([Tagged(list(words), list(tags)) for words, tags in agreed], valid, test, seed)
