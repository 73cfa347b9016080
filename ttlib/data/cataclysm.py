"""Today's Russian: sentences of a survival game, translated by its players (rough words included)."""

import gettext
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ttlib.data.records import Pair
from ttlib.data.sources import Source, keep, verified
from ttlib.errors import DataError

PACKAGE = "cataclysm-dda-data"
CATACLYSM = Source(
    name="cataclysm",
    title="48,946 translated messages of the game Cataclysm: Dark Days Ahead 0.F-3",
    licence="CC-BY-SA-3.0",
    path="cataclysm-dda-ru.mo",
    n_bytes=11_460_442,
    sha256="5073d5eeb3d28fb173b68fbcb0a59b654ae9a7b8dc77f259f280392d387a55fb",
    install="python -m ttlib data cataclysm   (Debian or Ubuntu; else add --deb FILE with Debian's "
    "cataclysm-dda-data_0.F-3-9_all.deb)",
)
MARKUP = re.compile(r"[%<>{}\[\]|\\_=@#$*/^~]|&|\d{3}")
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[A-ZА-ЯЁ\"«])")


def message_pairs(max_words: int = 40) -> Iterator[Pair]:
    """Yield sentence pairs, Russian to English; ``group`` is the English message that they are from.

    Messages with placeholders or markup are dropped; a message of several sentences is cut where both
    sides have equally many. Single words are kept, untranslated or empty ones are not.

    Raises:
        DataError: the file is not in the cache folder, or it is damaged.
    """
    with verified(CATACLYSM).open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    seen: set[tuple[str, str]] = set()
    for key, russian in catalogue.items():
        if isinstance(key, tuple) and key[1] != 0:
            continue  # plural forms: keep the first
        english = (key[0] if isinstance(key, tuple) else key).split("\x04")[-1]
        for a, b in sentences(russian, english):
            words = max(len(a.split()), len(b.split()))
            if 0 < words <= max_words and (a, b) not in seen:
                seen.add((a, b))
                yield Pair(a, b, english)


def sentences(russian: str, english: str) -> list[tuple[str, str]]:
    """The message cut into sentence pairs, or nothing where it cannot be used."""
    if MARKUP.search(russian) or MARKUP.search(english) or "\n" in english.strip():
        return []
    if not re.search(r"[А-Яа-яЁё]", russian) or not re.search(r"[A-Za-z]", english):
        return []
    a, b = SENTENCE_END.split(" ".join(russian.split())), SENTENCE_END.split(" ".join(english.split()))
    return list(zip(a, b, strict=True)) if len(a) == len(b) else []


def fetch(deb: Path | None = None) -> Path:
    """Put the checked file into the cache folder, from Debian's package (fetched with apt unless given).

    Raises:
        DataError: apt is missing or has another version, or the package holds another file.
    """
    with tempfile.TemporaryDirectory() as folder:
        if deb is None:
            run(["apt-get", "download", PACKAGE], folder)
            deb = next(Path(folder).glob("*.deb"), None)
        if deb is None or not deb.is_file():
            raise DataError(f"--deb: got {str(deb)!r}, need the package file; {CATACLYSM.install}")
        run(["dpkg-deb", "-x", str(deb.resolve()), "unpacked"], folder)
        found = Path(folder, "unpacked/usr/share/locale/ru/LC_MESSAGES/cataclysm-dda.mo")
        if not found.is_file():
            raise DataError(f"--deb: {deb.name} holds no Russian messages; need {PACKAGE} 0.F-3")
        return keep(CATACLYSM, found)


def run(command: list[str], folder: str) -> None:
    """Run a command in a folder; its own message becomes ours when it fails."""
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise DataError(f"{command[0]}: not found on this system; {CATACLYSM.install}") from error
    except subprocess.CalledProcessError as error:
        raise DataError(f"{' '.join(command)}: {error.stderr.strip()[-500:]}") from error
