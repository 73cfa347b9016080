"""The standard tests of word vectors are the ones that the book describes."""

from pathlib import Path

import pytest

from ttlib.data import glove, wordtests
from ttlib.errors import InputError

ROOT = Path(__file__).parents[2]


def test_analogy_questions():
    kinds = wordtests.analogy_questions()
    assert (len(kinds), sum(map(len, kinds.values()))) == (14, 19_544)
    assert kinds["capital-common-countries"][0] == ("athens", "greece", "baghdad", "iraq")
    assert kinds["gram9-plural-verbs"][-1] == ("write", "writes", "work", "works")


def test_judged_pairs():
    assert len(wordtests.judged_pairs("simlex")) == 999
    assert wordtests.judged_pairs("simlex")["smart", "intelligent"] == 9.2
    assert wordtests.judged_pairs("wordsim")["tiger", "cat"] == 7.35
    with pytest.raises(InputError, match="name: got 'mine', need one of wordsim, simlex"):
        wordtests.judged_pairs("mine")


@pytest.mark.parametrize(
    "source", [wordtests.QUESTIONS, wordtests.WORDSIM, wordtests.SIMLEX, glove.VECTORS, glove.WORDS]
)
def test_the_version_to_install_is_the_pinned_one(source):
    assert f"{source.install.rpartition(' ')[2]} " in (ROOT / "requirements-data.txt").read_text()
