"""One token's attention, step by step: the chapter's example by hand."""

import re

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import one_token

Q = torch.tensor([2.0, 1, 0, 1])
K = torch.tensor([[2.0, 1, 1, 1], [0, 1, 2, 1]])
V = torch.tensor([[10.0, 0], [0, 10]])
WORDS = ["Thinking", "Machines"]


def test_every_number_is_in_the_text():
    told = repr(one_token("Thinking", WORDS, Q, K, V))
    assert told.startswith("Attention for one token: the query of Thinking (2, 1, 0, 1) meets each key.")
    first = "key of Thinking (2, 1, 1, 1), score q·k 6, ÷ √4 3, softmax 0.88, value of Thinking (10, 0)"
    second = "key of Machines (0, 1, 2, 1), score q·k 2, ÷ √4 1, softmax 0.12, value of Machines (0, 10)"
    assert f"{first}; {second}. weighted sum of the values (8.8, 1.2)." in told


def test_every_number_is_in_the_picture():
    page = one_token("Thinking", WORDS, Q, K, V)._repr_html_()
    shown = re.findall(r">\s*([^<>]+?)\s*</t(?:ext|span)>", page)
    assert {"(2, 1, 0, 1)", "(0, 1, 2, 1)", "6", "2", "0.88", "0.12", "(8.8, 1.2)"} <= set(shown)


@pytest.mark.parametrize(
    ("words", "k", "message"),
    [
        (list("abcde"), torch.zeros(5, 4), "words: got 5, need 1 to 4 words"),
        (WORDS, K[:1], r"words: got 2, need one per key \(1\)"),
    ],
)
def test_wrong_words_are_refused(words, k, message):
    with pytest.raises(InputError, match=message):
        one_token("a", words, Q, k, torch.zeros(len(k), 2))
