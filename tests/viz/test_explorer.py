"""The explorable figure as a page: what stands in it before any script runs."""

import json
import re

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import explore

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
