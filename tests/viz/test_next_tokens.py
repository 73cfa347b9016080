"""The figure of expected tokens: what stands in the page, and what a real browser makes of it."""

import json
import re
from pathlib import Path

import pytest

from book.browser import Browser
from ttlib.errors import InputError
from ttlib.viz import next_tokens

TOKENS = [" Paris", "</script>", "\n", " the"]
PROBABILITIES = [0.9, 0.05, 0.0004, 0.0]
CANDIDATES = [
    [(" Paris", 0.9), (" London", 0.07)],
    [(".", 0.6), ("</script>", 0.05)],
    [("!", 0.5)],
    [("a", 0.99951), ("b", 0.0004)],
]


def page(**changes: object) -> str:
    given = {"tokens": TOKENS, "probabilities": PROBABILITIES, "candidates": CANDIDATES, "lead": "<s>", **changes}
    return next_tokens(**given, title="What comes next")._repr_html_()


def test_every_token_is_a_radio_button_with_a_name() -> None:
    names = re.findall(r'role="radio" aria-checked="false" tabindex="-1" aria-label="([^"]+)"', page())
    assert names == ["␣Paris", "&lt;/script&gt;", "⏎", "␣the"]
    assert '<span class="lead">&lt;s&gt;</span>' in page()
    assert 'class="lead"' not in page(lead="")


def test_the_likelier_the_stronger() -> None:
    strengths = [float(x) for x in re.findall(r"rgba\(11,132,208,([\d.]+)\)", page())]
    assert strengths == [0.41, 0.02, 0.0, 0.0]


def test_the_script_has_the_numbers() -> None:
    (data,) = re.findall(r"data=(\[.*\]),tokens", page())
    assert json.loads(data)[0] == ["␣Paris", 90.0, [["␣Paris", 90.0], ["␣London", 7.0]]]
    assert page().count("</script>") == 1


def test_the_same_stands_there_as_text() -> None:
    lines = repr(next_tokens(TOKENS, PROBABILITIES, CANDIDATES, title="What")).splitlines()
    assert lines[:2] == ["What", "␣Paris: 90 %; expected: ␣Paris 90 %, ␣London 7.0 %"]
    assert lines[3:] == ["⏎: under 0.1 %; expected: ! 50 %", "␣the: 0.0 %; expected: a 100 %, b under 0.1 %"]
    assert "<li>␣Paris: 90 %" in page()


def test_the_key_follows_from_the_content() -> None:
    keys = [re.findall(r"tt-next (tt\w{8})", text)[0] for text in (page(), page(), page(lead="x"))]
    assert keys[0] == keys[1] != keys[2]


def test_nothing_comes_from_outside_and_it_is_small() -> None:
    many = next_tokens(["word "] * 50, [0.5] * 50, [[(f"word {i}", 0.1) for i in range(8)]] * 50)._repr_html_()
    assert not re.search(r"https?:|src=|@import", many)
    assert len(many.encode()) < 40_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": []}, r"tokens: got \[\], need at least one"),
        ({"probabilities": [0.5]}, r"probabilities: got 1, need one per token \(4\)"),
        ({"candidates": []}, r"candidates: got 0, need a list per token \(4\)"),
        ({"probabilities": [0.9, 0.05, 1.5, 0.0]}, r"probabilities: got \[1.5\], need numbers from 0 to 1"),
        ({"candidates": [[("a", -0.1)], [], [], []]}, r"probabilities: got \[-0.1\], need numbers from 0 to 1"),
        ({"start": 4}, "start: got 4, need the number of a token, 0 to 3"),
    ],
)
def test_wrong_numbers_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        page(**changes)


ACTIONS = """(() => {
const log=[],boxes=document.querySelectorAll(".tt-next"),box=boxes[0];
const tokens=[...box.querySelectorAll("[role=radio]")];
function note(box=boxes[0]){
 log.push({on:[...box.querySelectorAll('[aria-checked=true]')].map(g=>g.getAttribute("aria-label")),
  text:box.querySelector("p").textContent,
  rows:[...box.querySelectorAll(".rows>div")].map(r=>[...r.children].map(c=>c.textContent)),
  bars:[...box.querySelectorAll("i")].map(d=>d.style.width),
  wide:[...box.querySelectorAll("i")].map(d=>d.getBoundingClientRect().width),
  bold:[...box.querySelectorAll(".rows .it")].length,
  stops:box.querySelectorAll('[role=radio][tabindex="0"]').length,
  focus:document.activeElement.getAttribute("aria-label")})}
const press=key=>document.activeElement.dispatchEvent(new KeyboardEvent("keydown",{key,bubbles:true}));
note();
tokens[1].click();note();
press("ArrowRight");note();
press("End");note();
press("ArrowRight");note();
press("x");note();
tokens[2].dispatchEvent(new MouseEvent("mouseenter"));note();
tokens[2].dispatchEvent(new MouseEvent("mouseleave"));note();
note(boxes[1]);
return log})()"""


@pytest.fixture(scope="module")
def log(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What the page said after each action."""
    path: Path = tmp_path_factory.mktemp("next") / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{page()}{page(start=3)}", encoding="utf-8")
    browser.open(path.as_uri())
    return browser.run(ACTIONS)


def test_it_begins_with_the_first_token(log: list[dict[str, object]]) -> None:
    assert log[0]["on"] == ["␣Paris"]
    assert log[0]["text"] == "“␣Paris” had 90 %; expected: ␣Paris 90 %, ␣London 7.0 %."
    assert log[0]["rows"] == [["▸ ␣Paris", "", "90 %"], ["  ␣London", "", "7.0 %"]]
    assert log[0]["bars"] == ["90%", "7%"]
    long, short = log[0]["wide"]
    assert long > 12 * short > 60  # so many pixels


def test_a_click_chooses_and_keys_walk_around_the_end(log: list[dict[str, object]]) -> None:
    assert [entry["on"] for entry in log[1:6]] == [["</script>"], ["⏎"], ["␣the"], ["␣Paris"], ["␣Paris"]]
    assert log[1]["focus"] == "</script>"
    assert log[4]["focus"] == "␣Paris"


def test_what_was_not_expected_gets_a_row_of_its_own(log: list[dict[str, object]]) -> None:
    assert log[2]["rows"] == [["  !", "", "50 %"], ["▸ ⏎", "", "under 0.1 %"]]
    assert all(entry["bold"] == 1 for entry in log)


def test_the_mouse_only_previews(log: list[dict[str, object]]) -> None:
    assert log[6]["text"].startswith("“⏎”")
    assert log[6]["on"] == ["␣Paris"]
    assert log[7]["text"] == log[0]["text"]


def test_two_figures_on_a_page_and_one_stop_for_the_tab_key(log: list[dict[str, object]]) -> None:
    assert log[8]["on"] == ["␣the"]
    assert {entry["stops"] for entry in log} == {1}
