"""The translation task's data: editions with their tags, tokenisers learnt from them, ids."""

from collections.abc import Sequence
from dataclasses import dataclass

from ttlib.data.bible import EDITIONS, verse_pairs
from ttlib.data.cataclysm import message_pairs
from ttlib.data.pairs import IdPair
from ttlib.data.records import Pair, Split, split_by_group
from ttlib.errors import require
from ttlib.text.subwords import Subwords

MODERN = "modern"  # the tag of today's language


@dataclass(frozen=True, kw_only=True)
class TranslationData:
    """Which targets to learn. Each target sentence begins with its edition's tag instead of bos.

    ``editions``: names of `ttlib.data.bible.EDITIONS`, comma-separated, and ``modern`` for the game's
    sentences. The first is the one that is evaluated. Verses are split by chapter, with the same chapters
    held out in every edition.
    """

    editions: str = "basic"
    max_words: int = 40

    def __post_init__(self) -> None:
        """Check the names."""
        for name in self.names:
            require(name in EDITIONS or name == MODERN, "editions", name, f"{', '.join(EDITIONS)} or {MODERN}")
        require(self.names[0] != MODERN, "editions", self.editions, "an edition of the Bible first")

    @property
    def names(self) -> tuple[str, ...]:
        """The editions, in order."""
        return tuple(self.editions.split(","))


@dataclass(frozen=True)
class Tagged:
    """A training pair and the edition that its target is from."""

    pair: Pair
    edition: str


def tag(edition: str) -> str:
    """The token that every target of this edition begins with: ``<basic>``."""
    return f"<{edition}>"


def load_split(data: TranslationData) -> Split:
    """Verses of the first edition: train, valid and test, which share no chapter."""
    return split_by_group(verse_pairs(tgt=data.names[0], max_words=data.max_words))


def training_pairs(data: TranslationData, split: Split) -> list[Tagged]:
    """All pairs to learn from, in every edition: nothing from a held-out chapter."""
    held_out = {pair.group for pair in [*split.valid, *split.test]}
    tagged: list[Tagged] = []
    for name in data.names:
        pairs = message_pairs(data.max_words) if name == MODERN else verse_pairs(tgt=name, max_words=data.max_words)
        tagged += [Tagged(pair, name) for pair in pairs if pair.group not in held_out]
    return tagged


def train_tokenisers(tagged: Sequence[Tagged], src_size: int, tgt_size: int) -> tuple[Subwords, Subwords]:
    """One vocabulary for each language: Russian and English share no letters."""
    src = Subwords.train((t.pair.src for t in tagged), src_size)
    tags = [tag(name) for name in dict.fromkeys(t.edition for t in tagged)]
    return src, Subwords.train((t.pair.tgt for t in tagged), tgt_size, tags)


def to_ids(tagged: Sequence[Tagged], src: Subwords, tgt: Subwords, eos_id: int = 2) -> list[IdPair]:
    """Source ids + eos; tag + target ids + eos."""
    sources = src.encode([t.pair.src for t in tagged])
    targets = tgt.encode([t.pair.tgt for t in tagged])
    starts = {t.edition: tgt.id_of(tag(t.edition)) for t in tagged}
    return [([*s, eos_id], [starts[t.edition], *y, eos_id]) for t, s, y in zip(tagged, sources, targets, strict=True)]
