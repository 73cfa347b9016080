"""Three standard tests of word vectors: analogies (Mikolov et al. 2013a), and two sets of pairs judged by people.

The files are those that gensim brings for its own tests. Nothing of gensim is imported.
"""

from functools import partial

from ttlib.data.sources import Source, verified
from ttlib.errors import require

gensim_file = partial(Source, package="gensim", install="pip install --no-deps gensim==4.4.0")
QUESTIONS = gensim_file(
    name="analogy questions",
    title="19,544 questions of 14 kinds: Athens is to Greece as Baghdad is to …",
    licence="Apache-2.0 (word2vec)",
    path="test/test_data/questions-words.txt",
    n_bytes=603_955,
    sha256="8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
)
WORDSIM = gensim_file(
    name="WordSim-353",
    title="353 pairs of words and how related people find them, 0 to 10 (Finkelstein et al. 2002)",
    licence="the file names none: it is read where the book runs, never stored with it",
    path="test/test_data/wordsim353.tsv",
    n_bytes=7_186,
    sha256="f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
)
SIMLEX = gensim_file(
    name="SimLex-999",
    title="999 pairs of words and how similar people find them, 0 to 10 (Hill et al. 2015)",
    licence="the file names none: it is read where the book runs, never stored with it",
    path="test/test_data/simlex999.txt",
    n_bytes=18_126,
    sha256="d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
)
JUDGED = {"wordsim": WORDSIM, "simlex": SIMLEX}


def analogy_questions() -> dict[str, list[tuple[str, str, str, str]]]:
    """For each kind its questions (a, b, c, d): *a is to b as c is to d*, in lower case.

    Raises:
        DataError: the package is missing or its file is damaged.
    """
    kinds: dict[str, list[tuple[str, str, str, str]]] = {}
    for line in verified(QUESTIONS).read_text(encoding="utf-8").lower().splitlines():
        if line.startswith(":"):
            kind = kinds.setdefault(line[1:].strip(), [])
        else:
            a, b, c, d = line.split()
            kind.append((a, b, c, d))
    return kinds


def judged_pairs(name: str) -> dict[tuple[str, str], float]:
    """Pairs of words in lower case with the mean of people's judgements; ``wordsim`` or ``simlex``.

    Raises:
        InputError: the name is unknown.
        DataError: the package is missing or its file is damaged.
    """
    require(name in JUDGED, "name", name, f"one of {', '.join(JUDGED)}")
    lines = verified(JUDGED[name]).read_text(encoding="utf-8").lower().splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {(a, b): float(score) for a, b, score in rows}
