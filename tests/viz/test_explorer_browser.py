"""The explorable figure in a real browser: mouse, keyboard, menu, and two figures on one page."""

from pathlib import Path

import pytest
import torch

from book.browser import Browser
from ttlib.viz import explore, explore_heads

WEIGHTS = torch.tensor([[0.0, 0.9, 0.1], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
WORDS = ["one", "two", "three"]
ACTIONS = """(() => {
const log=[],boxes=document.querySelectorAll(".tt-explorer");
function note(box=boxes[0]){
 const on=[...box.querySelectorAll('[aria-checked=true]')];
 log.push({on:on.map(g=>g.getAttribute("aria-label")),text:box.querySelector("p").textContent,
  lines:box.querySelectorAll("line").length,stops:box.querySelectorAll('[role=radio][tabindex="0"]').length,
  focus:document.activeElement.getAttribute("aria-label"),
  shares:[...box.querySelectorAll(".pct")].map(t=>t.textContent).filter(t=>t)})}
const press=key=>document.activeElement.dispatchEvent(new KeyboardEvent("keydown",{key,bubbles:true}));
const click=(box,n)=>box.querySelectorAll("[role=radio]")[n].dispatchEvent(new MouseEvent("click",{bubbles:true}));
note();
click(boxes[0],1);note();
press("ArrowDown");note();
press("ArrowDown");note();
press("ArrowUp");press("ArrowUp");press("ArrowRight");note();
press("ArrowLeft");press("x");note();
boxes[0].querySelectorAll("[role=radio]")[0].focus();press(" ");note();
note(boxes[1]);
const menu=boxes[2].querySelector("select");menu.value=1;menu.dispatchEvent(new Event("change"));note(boxes[2]);
note(boxes[3]);
for(const [n,value] of [[0,1],[1,2]]){
 const pick=boxes[3].querySelectorAll("select")[n];pick.value=value;
 pick.dispatchEvent(new Event("change"));note(boxes[3])}
return log})()"""


@pytest.fixture(scope="module")
def log(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the page said after each action."""
    page: Path = tmp_path_factory.mktemp("explorer") / "page.html"
    figure = explore(WEIGHTS, WORDS)._repr_html_()
    several = explore({"a": WEIGHTS, "b": WEIGHTS.flip(0)}, WORDS)._repr_html_()
    heads = torch.arange(54).view(2, 3, 3, 3) / 100
    both = explore_heads(heads, WORDS, title="Heads", first=(1, 2), start=2)._repr_html_()
    page.write_text(f"<!doctype html><meta charset=utf-8>{figure}{figure}{several}{both}", encoding="utf-8")
    browser.open(page.as_uri())
    return browser.run(ACTIONS)


def test_it_begins_with_the_first_query(log):
    assert log[0]["on"] == ["one looks"]
    assert log[0]["text"] == "“one” looks at: two 90 %, three 10 %."
    assert log[0]["shares"] == ["0 %", "90 %", "10 %"]
    assert log[0]["lines"] == 2  # none for 0 %


def test_a_click_chooses_and_moves_the_focus(log):
    assert log[1]["on"] == ["two looks"]
    assert log[1]["focus"] == "two looks"
    assert log[1]["shares"] == ["20 %", "30 %", "50 %"]


def test_arrows_walk_through_the_words_and_around_the_end(log):
    assert [entry["on"] for entry in log[2:4]] == [["three looks"], ["one looks"]]
    assert log[2]["text"] == "“three” looks at: one 100 %."


def test_the_right_side_tells_who_looks(log):
    assert log[4]["on"] == ["two is looked at"]
    assert log[4]["text"] == "Who looks at “two”: one 90 %, two 30 %."


def test_other_keys_do_nothing_and_left_goes_back(log):
    assert log[5]["on"] == ["two looks"]


def test_space_chooses_the_focused_word(log):
    assert log[6]["on"] == ["one looks"]


def test_there_is_always_one_stop_for_the_tab_key(log):
    assert {entry["stops"] for entry in log} == {1}
    assert {len(entry["on"]) for entry in log} == {1}


def test_the_same_figure_twice_on_a_page_works_twice(log):
    assert log[7]["text"] == log[0]["text"]


def test_the_menu_changes_the_map(log):
    assert log[8]["text"] == "“one” looks at: one 100 %."


def test_two_menus_choose_layer_and_head(log):
    texts = [entry["text"] for entry in log[9:]]
    assert texts == [
        "“three” looks at: three 17 %, two 16 %, one 15 %.",  # layer 1, head 2
        "“three” looks at: three 44 %, two 43 %, one 42 %.",  # layer 2, head 2
        "“three” looks at: three 53 %, two 52 %, one 51 %.",  # layer 2, head 3
    ]
