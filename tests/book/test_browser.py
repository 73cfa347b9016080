"""The built book in a real Chromium: nothing from outside, no error, readable on a phone and by a screen reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from book import screenshots
from book.browser import Browser
from tests.book.browser import CUT, PHONE, STRUCTURE, UNCOPIED, UNDRAWN, complaints, nameless, overflow, serve

BROKEN = """<!doctype html><meta name="viewport" content="width=device-width"><title></title>
<h1 id="a">One</h1><h1 id="a">Two</h1>
<button></button><a href="#a"><svg></svg></a><a href="#a" title="named">+</a><img src="data:,"><img src="data:," alt="">
<div style="width: 300px; overflow: auto"><b style="display: block; width: 900px">scrolls in its box</b></div>
<div class="wide" style="width: 700px">too wide</div>
<div class="math"><mjx-container><mjx-mi style="position: absolute; left: -40px">z</mjx-mi></mjx-container></div>
<div class="math">x^2</div><div class="math"><mjx-container>y</mjx-container></div>
<div class="cell_input"><div class="highlight">print(1)</div></div>
<script src="missing.js"></script><link rel="stylesheet" href="http://cdn.invalid/style.css">
<script>console.error("odd"); console.log("fine"); throw Error("oh")</script>
<script>setTimeout(() => { new WebSocket("ws://socket.invalid/") }, 20)</script>"""


@pytest.fixture(scope="module")
def site(html: Path) -> Iterator[str]:
    with serve(html) as address:
        yield address


Faults = dict[str, dict[str, list[str]]]


def visit(browser: Browser, site: str, page: str) -> dict[str, list[str]]:
    """Open a page on a desktop, then on a phone, and ask for all its faults."""
    browser.open(f"{site}/{page}")
    found = {
        "complaints": complaints(browser, site),
        "structure": browser.run(STRUCTURE),
        "nameless": nameless(browser),
        "undrawn": browser.run(UNDRAWN),
        "uncopied": browser.run(UNCOPIED),
    }
    browser.open(f"{site}/{page}", PHONE)
    return found | {
        "overflow": overflow(browser),
        "cut": browser.run(CUT),
        "complaints on a phone": complaints(browser, site),
    }


@pytest.fixture(scope="module")
def faults(browser: Browser, site: str, html: Path, pages: list[Path]) -> Faults:
    """Faults by check and page. The first page is left out: it only leads on."""
    names = [str(p.relative_to(html)) for p in pages if p != html / "index.html"]
    assert len(names) > 5, "where are the pages?"
    found: Faults = {}
    for page in names:
        for check, said in visit(browser, site, page).items():
            found.setdefault(check, {}).update({page: said} if said else {})
    return found


@pytest.mark.parametrize(
    "check", ["complaints", "complaints on a phone", "overflow", "cut", "structure", "nameless", "undrawn", "uncopied"]
)
def test_no_page_has_a_fault(faults: Faults, check: str) -> None:
    assert faults[check] == {}


def test_mathematics_is_drawn_and_code_can_be_copied(browser: Browser, site: str) -> None:
    browser.open(f"{site}/chapters/05_self_attention.html")
    assert browser.run("document.querySelectorAll('mjx-container').length") > 5
    assert browser.run("document.querySelectorAll('.cell_input button.copybtn').length") > 20


def test_every_check_can_fail(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "broken.html").write_text(BROKEN)
    with serve(tmp_path) as site:
        browser.open(f"{site}/broken.html", PHONE)
        said = complaints(browser, site)
        wide = overflow(browser)
        assert browser.run(STRUCTURE) == ["lang is ''", "no title", "2 h1", "id 'a' twice"]
        assert nameless(browser) == ["button ", "a href #a", "img src data:,"]
        assert browser.run(UNDRAWN) == ["x^2"]
        assert browser.run(CUT) == ["z"]
        assert browser.run(UNCOPIED) == ["print(1)"]
    for fault in ("asks http://cdn.invalid", "asks ws://socket.invalid/", "404 ", "console: odd", "Error: oh"):
        assert any(line.startswith(fault) for line in said), fault
    assert not any("fine" in line for line in said)
    assert wide[0] == "708 px wide"
    assert "too wide" in wide[1]
    assert len(wide) == 2


def test_the_first_page_leads_to_the_introduction(browser: Browser, site: str) -> None:
    browser.events.clear()
    browser.call("Page.navigate", url=f"{site}/index.html")
    browser.wait_for_event("Page.frameNavigated", lambda said: said["frame"]["url"].endswith("/chapters/intro.html"))


def test_dark_mode_follows_the_system_and_the_button(browser: Browser, site: str) -> None:
    theme = "document.documentElement.dataset.theme"
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.tt-figure svg')).color"
    seen = {}
    for dark in (False, True):
        browser.open(f"{site}/chapters/12_translation.html", dark=dark)
        seen[browser.run(theme)] = browser.run(ground), browser.run(ink)
    assert list(seen) == ["light", "dark"]
    assert seen["light"][0] != seen["dark"][0]
    assert seen["light"][1] != seen["dark"][1]
    clicked = []
    for _ in range(3):  # the button goes round: by system, light, dark
        browser.run("document.querySelector('button.theme-switch-button').click()")
        clicked.append((browser.run("document.documentElement.dataset.mode"), browser.run(theme)))
    browser.run("localStorage.clear()")
    assert sorted(clicked) == [("auto", "dark"), ("dark", "dark"), ("light", "light")]


def test_search_finds_a_word_and_only_that(browser: Browser, site: str) -> None:
    results = "document.querySelectorAll('#search-results li a').length"
    browser.open(f"{site}/search.html?q=attention")
    browser.wait_for(f"{results} > 1")
    browser.open(f"{site}/search.html?q=xyzzyqwerty")
    browser.wait_for("/did not match/.test(document.querySelector('#search-results').textContent)")
    assert browser.run(results) == 0


@pytest.mark.usefixtures("browser")
def test_pictures_are_taken(html: Path, tmp_path: Path) -> None:
    assert screenshots.main([str(tmp_path), "chapters/intro.html", "--html", str(html)]) == 0
    desktop = sorted(tmp_path.glob("intro-desktop-*.png"))
    phone = sorted(tmp_path.glob("intro-phone-*.png"))
    assert len(desktop) >= 2
    assert len(phone) >= 2
    for files, width in ((desktop, 1280), (phone, 390)):
        assert {int.from_bytes(f.read_bytes()[16:20], "big") for f in files} == {width}
        assert all(int.from_bytes(f.read_bytes()[20:24], "big") <= screenshots.PART for f in files)
    assert len({f.read_bytes() for f in desktop}) == len(desktop), "dark and light look the same"


def test_what_is_no_browser_is_said(tmp_path: Path) -> None:
    program = tmp_path / "chrome"
    program.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match=r"did not start \(exit code 3\): no display"):
        Browser(str(program))
