"""The standard tests of word vectors are the ones that the book describes."""

import pytest

from ttlib.data import wordtests
from ttlib.errors import InputError


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
