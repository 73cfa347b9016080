"""The translation task's data: editions with their tags, tokenisers learnt from them, ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ttlib.data.bible import EDITIONS, verse_pairs
from ttlib.data.cataclysm import message_pairs
from ttlib.data.pairs import IdPair
from ttlib.data.records import Pair, split_by_group
from ttlib.data.split import Split
from ttlib.errors import require
from ttlib.text.subwords import Subwords

MODERN = "modern"  # the tag of today's language


@dataclass(frozen=True, kw_only=True)
class TranslationData:
    """Which sources and targets to learn. Each target sentence begins with its edition's tag instead of bos.

    ``editions`` (the targets): names of `ttlib.data.bible.EDITIONS`, comma-separated, and ``modern`` for the
    game's sentences, which are translated from Russian. ``src`` (the sources): such names, too; of two languages,
    one model learns both. The first of each are evaluated. Verses are split by chapter, with the same chapters
    held out in every edition.
    """

    editions: str = "basic"
    max_words: int = 40
    src: str = "synodal"

    def __post_init__(self) -> None:
        """Check the names."""
        for name in self.names:
            require(name in EDITIONS or name == MODERN, "editions", name, f"{', '.join(EDITIONS)} or {MODERN}")
        for name in self.sources:
            require(name in EDITIONS, "src", name, f"one of {', '.join(EDITIONS)}")
        require(self.names[0] != MODERN, "editions", self.editions, "an edition of the Bible first")
        russian = MODERN not in self.names or "synodal" in self.sources
        require(russian, "src", self.src, f"synodal among them: {MODERN} is translated from Russian")

    @property
    def names(self) -> tuple[str, ...]:
        """The editions, in order."""
        return tuple(self.editions.split(","))

    @property
    def sources(self) -> tuple[str, ...]:
        """The editions to translate from, in order."""
        return tuple(self.src.split(","))


@dataclass(frozen=True)
class Tagged:
    """A training pair and the edition that its target is from."""

    pair: Pair
    edition: str


def tag(edition: str) -> str:
    """The token that every target of this edition begins with: ``<basic>``."""
    return f"<{edition}>"


def load_split(data: TranslationData) -> Split[Pair]:
    """Verses of the first source and the first target: train, valid and test, which share no chapter."""
    return split_by_group(verse_pairs(data.sources[0], data.names[0], data.max_words))


def training_pairs(data: TranslationData, split: Split[Pair]) -> list[Tagged]:
    """All pairs to learn from, of every source and every target: nothing from a held-out chapter."""
    held_out = {pair.group for pair in [*split.valid, *split.test]}
    tagged: list[Tagged] = []
    for name in data.names:
        corpora: list[Iterable[Pair]] = [message_pairs(data.max_words)] if name == MODERN else verses(data, name)
        tagged += [Tagged(pair, name) for pairs in corpora for pair in pairs if pair.group not in held_out]
    return tagged


def verses(data: TranslationData, edition: str) -> list[Iterable[Pair]]:
    """The verses of one target beside those of each source."""
    return [verse_pairs(source, edition, data.max_words) for source in data.sources]


def train_tokenisers(tagged: Sequence[Tagged], src_size: int, tgt_size: int) -> tuple[Subwords, Subwords]:
    """One vocabulary for the sources, one for the targets: Russian and English share no letters."""
    src = Subwords.train((t.pair.src for t in tagged), src_size)
    tags = [tag(name) for name in dict.fromkeys(t.edition for t in tagged)]
    return src, Subwords.train((t.pair.tgt for t in tagged), tgt_size, tags)


def to_ids(tagged: Sequence[Tagged], src: Subwords, tgt: Subwords, eos_id: int = 2) -> list[IdPair]:
    """Source ids + eos; tag + target ids + eos."""
    sources = src.encode([t.pair.src for t in tagged])
    targets = tgt.encode([t.pair.tgt for t in tagged])
    starts = {t.edition: tgt.id_of(tag(t.edition)) for t in tagged}
    return [([*s, eos_id], [starts[t.edition], *y, eos_id]) for t, s, y in zip(tagged, sources, targets, strict=True)]
