"""Two tasks made from English editions of the same verses: is it the same verse, and where does the verse stand.

The labels are constructed, from the numbers of the verses: nobody read and judged these pairs. Chapters that
were held out from pretraining (`ttlib.data.documents.held_out_chapters`) are those that are judged on here.
"""

import random
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from itertools import accumulate, combinations
from typing import NamedTuple

from ttlib.data.bible import verse_texts
from ttlib.data.documents import held_out_chapters
from ttlib.data.overlap import words
from ttlib.errors import InputError, require

Place = tuple[int, int, int]  # book, chapter, verse
Texts = Mapping[Place, str]
PARTS = ("train", "test")
EDITION_PAIR = ("world", "basic")
N_WORDS = range(6, 26)  # of a verse in a pair
NEAR = 3  # a hard false pair's verses stand at most so many verses apart
SLACK = 15  # a neighbour's b differs in length from the true one by at most so many characters, or 3 words
ALIKE = 0.6  # verses of one edition with more words in common (Jaccard) say nearly the same


class VersePair(NamedTuple):
    """Two texts, and 1 if they are the same verse in two editions."""

    a: str
    b: str
    label: int


class VerseQuestion(NamedTuple):
    """A verse in one edition, and a passage of another one, in which it is ``passage[start:end]``.

    ``verses`` are the spans of all verses of the passage: for baselines; a model is not to see them.
    """

    question: str
    passage: str
    start: int
    end: int
    verses: tuple[tuple[int, int], ...]


def same_verse(
    part: str = "train", *, editions: tuple[str, str] = EDITION_PAIR, hard: float = 1.0, seed: int = 0
) -> list[VersePair]:
    """Pairs of texts with constructed labels, in the form of MRPC (Dolan and Brockett 2005): same verse or not.

    See `pair_verses`. ``part`` is ``train`` or ``test``; no chapter stands in both.

    Raises:
        InputError: part or edition is unknown, or hard is no share.
        DataError: the package is missing or its file is damaged.
    """
    a, b = part_texts(part, editions)
    return pair_verses(a, b, hard, seed)


def find_verse(
    part: str = "train",
    n_verses: int = 3,
    *,
    editions: tuple[str, str] = EDITION_PAIR,
    max_words: int = 40,
    seed: int = 0,
) -> list[VerseQuestion]:
    """Questions with constructed answers, in the form of SQuAD (Rajpurkar et al. 2016): where does the verse stand.

    See `ask`. ``editions`` are that of the passage and that of the question; ``part`` is ``train`` or ``test``.

    Raises:
        InputError: part or edition is unknown, or there are fewer than two verses to choose from.
        DataError: the package is missing or its file is damaged.
    """
    passages, questions = part_texts(part, editions)
    return ask(passages, questions, n_verses, max_words, seed)


def part_texts(part: str, editions: tuple[str, str]) -> tuple[Texts, Texts]:
    """The verses of two editions by their places: of the held-out chapters for ``test``, of the others for ``train``.

    Raises:
        InputError: part or edition is unknown.
        DataError: the package is missing or its file is damaged.
    """
    require(part in PARTS, "part", part, f"one of {', '.join(PARTS)}")
    held_out = held_out_chapters()

    def read(edition: str) -> Texts:
        chosen = {}
        for key, text in verse_texts(edition).items():
            if (key.rpartition(":")[0] in held_out) == (part == "test"):
                book, chapter, verse = key.split(":")
                chosen[int(book), int(chapter), int(verse)] = text
        return chosen

    return read(editions[0]), read(editions[1])


def pair_verses(a: Texts, b: Texts, hard: float = 1.0, seed: int = 0) -> list[VersePair]:
    """Pairs in random order, half of them the same verse; every verse is an a once at most.

    The false b is another verse: for a share ``hard`` one that stands 1 to 3 verses away in the same chapter, for
    the others one of any other chapter. Neither says nearly the same as the true one. It is about as long as the
    true b, so that lengths tell nothing. The share changes only the false bs: the as and their labels stay.

    Raises:
        InputError: hard is no share, or no other chapter has a verse that fits.
    """
    require(0 <= hard <= 1, "hard", hard, "a share from 0 to 1")
    rng = random.Random(seed)
    fit = dict.fromkeys(fitting(a, b, N_WORDS))  # a set that keeps its order
    near = {place: found for place in fit if (found := neighbour(place, fit, a, b, rng))}
    places = list({a[place]: place for place in near}.values())  # a text that comes again counts once
    rng.shuffle(places)
    n = len(places) // 2
    pairs = [VersePair(a[place], b[place], 1) for place in places[n : 2 * n]]
    for i, place in enumerate(places[:n]):
        false = near[place] if i < round(hard * n) else stranger(place, places, a, b, rng)
        pairs.append(VersePair(a[place], b[false], 0))
    rng.shuffle(pairs)
    return pairs


def neighbour(place: Place, fit: Container[Place], a: Texts, b: Texts, rng: random.Random) -> Place | None:
    """The verse 1 to 3 away that is nearest in length and says something else, if there is one of a fitting length."""
    book, chapter, verse = place
    around = [(book, chapter, v) for v in range(verse - NEAR, verse + NEAR + 1) if v != verse]
    rng.shuffle(around)  # so that of equally near ones any may be taken
    best = nearest_in_length(place, [other for other in around if other in fit], a, b)
    return best if best and unequal(b[best], b[place]) <= SLACK else None


def stranger(place: Place, places: list[Place], a: Texts, b: Texts, rng: random.Random) -> Place:
    """The verse nearest in length of twenty others that say something else, drawn from all other chapters.

    Raises:
        InputError: none of them is of another chapter.
    """
    drawn = [other for other in rng.choices(places, k=20) if other[:2] != place[:2]]
    best = nearest_in_length(place, drawn, a, b)
    if best is None:
        raise InputError(f"b: got no verse of another chapter than that of {place}, need more chapters or hard=1.0")
    return best


def nearest_in_length(place: Place, others: Iterable[Place], a: Texts, b: Texts) -> Place | None:
    """The one whose b is most nearly as long as this verse's, among those that do not say nearly the same."""
    by_length = sorted(others, key=lambda other: unequal(b[other], b[place]))
    return next((other for other in by_length if not alike(place, other, a, b)), None)


def ask(
    passages: Texts, questions: Texts, n_verses: int = 3, max_words: int = 40, seed: int = 0
) -> list[VerseQuestion]:
    """Passages of consecutive verses, each asked about every one of its verses; in random order.

    So all positions are asked for equally often, and a passage alone tells nothing of the answer. Passages share no
    verse, and none runs across the end of a chapter. Left out: verses of fewer than 6 or more than ``max_words``
    words, and passages in which two verses say nearly the same.

    Raises:
        InputError: there are fewer than two verses to choose from, or no verse can be short enough.
    """
    require(n_verses >= 2, "n_verses", n_verses, "at least 2")
    require(max_words >= N_WORDS.start, "max_words", max_words, f"at least {N_WORDS.start}")
    found = []
    for run in runs(passages, questions, n_verses, range(N_WORDS.start, max_words + 1)):
        texts = [passages[place] for place in run]
        ends = list(accumulate(len(text) + 1 for text in texts))  # with the space behind
        spans = tuple((end - 1 - len(text), end - 1) for end, text in zip(ends, texts, strict=True))
        passage = " ".join(texts)
        found += [
            VerseQuestion(questions[place], passage, *span, spans) for place, span in zip(run, spans, strict=True)
        ]
    random.Random(seed).shuffle(found)
    return found


def runs(a: Texts, b: Texts, n: int, lengths: range) -> Iterator[list[Place]]:
    """Yield n consecutive verses of a chapter again and again, from the front, wherever n fit that differ."""
    run: list[Place] = []
    for place in fitting(a, b, lengths):
        follows = run and place == (*run[-1][:2], run[-1][2] + 1)
        run = [*run, place] if follows else [place]
        if len(run) < n:
            continue
        if any(alike(x, y, a, b) for x, y in combinations(run, 2)):
            run = run[1:]
        else:
            yield run
            run = []


def fitting(a: Texts, b: Texts, lengths: range) -> list[Place]:
    """The places, in order, that have a text of a fitting number of words in both editions."""
    return [place for place in sorted(a) if all(n_words(edition.get(place, "")) in lengths for edition in (a, b))]


def alike(x: Place, y: Place, a: Texts, b: Texts) -> bool:
    """Whether two verses say nearly the same in either edition: refrains, lists of names."""
    return any(jaccard(edition[x], edition[y]) > ALIKE for edition in (a, b))


def jaccard(a: str, b: str) -> float:
    """The share of words that stand in both texts among those that stand in either."""
    x, y = vocabulary(a), vocabulary(b)
    return len(x & y) / len(x | y) if x or y else 1.0


@cache
def vocabulary(text: str) -> frozenset[str]:
    """The different words of a text."""
    return frozenset(words(text))


def unequal(x: str, y: str) -> int:
    """By how much two lengths differ: in characters, or in words of five characters each if that is more."""
    return max(abs(len(x) - len(y)), 5 * abs(n_words(x) - n_words(y)))


def n_words(text: str) -> int:
    """Words between spaces."""
    return len(text.split())
