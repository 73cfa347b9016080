"""The explorable figure as a page: what stands in it before any script runs."""

import json
import re

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import explore, explore_heads

WEIGHTS = torch.tensor([[0.0, 0.996, 0.004], [0.5, 0.25, 0.25]])
QUERIES, KEYS = ["made", "the <b>"], ["god", "heaven", "</script>"]


def page() -> str:
    return explore(WEIGHTS, QUERIES, KEYS, title="Genesis")._repr_html_()


def test_every_word_is_a_radio_button_with_a_name():
    radios = re.findall(r'role="radio" aria-checked="false" tabindex="-1" aria-label="([^"]+)"', page())
    assert radios == [
        "made looks",
        "the &lt;b&gt; looks",
        "god is looked at",
        "heaven is looked at",
        "&lt;/script&gt; is looked at",
    ]


def test_the_script_has_the_weights_in_percent():
    (maps,) = re.findall(r"maps=(\[.*?\]),words", page())
    assert json.loads(maps) == [[[0, 100, 0], [50, 25, 25]]]


def test_the_same_stands_there_as_text():
    assert "<li>made → heaven 100 %</li><li>the &lt;b&gt; → god 50 %, heaven 25 %, &lt;/script&gt; 25 %</li>" in page()
    assert repr(explore(WEIGHTS, QUERIES, KEYS, title="Genesis")).splitlines()[:2] == ["Genesis", "made → heaven 100 %"]


def test_a_query_that_looks_nowhere_says_so():
    assert "made → nothing" in repr(explore(torch.zeros(1, 2), ["made"], ["a", "b"]))


def test_a_word_cannot_end_the_script():
    assert page().count("</script>") == 1
    assert page().rstrip().endswith("</script>\n</div>")


def test_the_key_follows_from_the_content():
    def key(text: str) -> str:
        return re.findall(r"tt-explorer (tt\w{8})", text)[0]

    other = explore(1 - WEIGHTS, QUERIES, KEYS, title="Genesis")._repr_html_()
    assert page() == page()
    assert key(page()) != key(other)


def test_nothing_comes_from_outside_and_it_is_small():
    nine = explore(torch.eye(9), [f"word {i}" for i in range(9)])._repr_html_()
    assert not re.search(r"https?:|src=|@import", nine)
    assert len(nine.encode()) < 10_000


def test_several_maps_get_a_menu():
    several = explore({"head 1": WEIGHTS, "head 2": WEIGHTS}, QUERIES, KEYS)._repr_html_()
    assert re.findall(r'<option value="(\d)">([^<]+)<', several) == [("0", "head 1"), ("1", "head 2")]
    assert "head 2<ul>" in several
    assert "<select" not in page()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "weights: got {}, need at least one map"),
        (torch.zeros(2, 2), r"weights: got \(2, 2\), need \(2, 3\)"),
        ({"a": WEIGHTS, "b": WEIGHTS.T}, r"weights: got \(3, 2\), need \(2, 3\)"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        explore(weights, QUERIES, KEYS)


HEADS = torch.arange(2 * 3 * 4, dtype=torch.float).view(2, 3, 2, 2) / 100


def test_heads_get_a_menu_of_layers_and_one_of_heads():
    figure = explore_heads(HEADS, ["a", "b"], title="Heads", first=(2, 3), start=1)
    found = re.findall(r"<label>(\w+): <select>(.*?)</select>", figure._repr_html_())
    numbers = {label: re.findall(r'value="(\d)"( selected)?>(\d)<', options) for label, options in found}
    assert numbers == {
        "Layer": [("0", "", "1"), ("1", " selected", "2")],
        "Head": [("0", "", "1"), ("1", "", "2"), ("2", " selected", "3")],
    }
    (maps,) = re.findall(r"maps=(\[.*?\]),words", figure._repr_html_())
    assert json.loads(maps) == [[[i, i + 1], [i + 2, i + 3]] for i in range(0, 24, 4)]  # layer by layer
    assert "let now=[0,1];" in figure._repr_html_()
    assert "layer 2, head 3<ul><li>a → b 21 %</li><li>b → b 23 %</li></ul>" in figure._repr_html_()


def test_all_heads_of_a_sentence_weigh_little():
    page = explore_heads(torch.rand(6, 12, 16, 16).softmax(-1), [f"word {i}" for i in range(16)], title="Heads")
    assert len(page._repr_html_().encode()) < 120_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": HEADS[0]}, r"heads: got \(3, 2, 2\), need four axes"),
        ({"tokens": ["a"]}, r"weights: got \(2, 2\), need \(1, 1\)"),
        ({"first": (3, 1)}, r"first: got \(3, 1\), need at most \(2, 3\), from 1"),
        ({"first": (1, 0)}, r"first: got \(1, 0\), need at most"),
        ({"start": 2}, "start: got 2, need the number of a token, 0 to 1"),
    ],
)
def test_wrong_heads_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        explore_heads(**{"heads": HEADS, "tokens": ["a", "b"], "title": "Heads", **changes})


def test_another_query_may_be_chosen_at_first():
    assert "let now=[0,1];" in explore(WEIGHTS, QUERIES, KEYS, start=1)._repr_html_()
    with pytest.raises(InputError, match="start: got 2, need the number of a query, 0 to 1"):
        explore(WEIGHTS, QUERIES, KEYS, start=2)
