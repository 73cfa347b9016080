"""The built book in a real Chromium: nothing from outside, no error, readable on a phone."""

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from book.browser import Browser, find_browser

WIDEST = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
 && getComputedStyle(e).position !== 'fixed' && !e.closest('[style*=overflow], .bd-sidebar, .bd-sidebar-primary'))
 .slice(0, 3).map(e => e.tagName + '.' + e.className)"""
NAMELESS = """[...document.querySelectorAll('button, a[href]')].filter(e => e.offsetParent !== null
 && !(e.getAttribute('aria-label') || e.textContent.trim() || e.title || e.querySelector('img[alt]:not([alt=""])')))
 .map(e => e.outerHTML.slice(0, 120))"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        assert "CI" not in os.environ, "CI needs Chromium or Chrome"
        pytest.skip("no Chromium or Chrome on this machine")
    with Browser(program) as browser:
        yield browser


@pytest.fixture(scope="module")
def site(html: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def complaints(browser: Browser, site: str) -> list[str]:
    """Requests to other hosts, failed requests, exceptions and error messages since the page was opened."""
    found = []
    for event in browser.events:
        kind, said = event.get("method"), event.get("params", {})
        if kind == "Network.requestWillBeSent":
            url = said["request"]["url"]
            if not url.startswith((site, "data:", "blob:", "about:")):
                found.append(f"asks {url}")
        elif kind == "Network.responseReceived" and said["response"]["status"] >= 400:
            found.append(f"{said['response']['status']} {said['response']['url']}")
        elif kind == "Runtime.exceptionThrown":
            found.append(str(said["exceptionDetails"].get("exception", said["exceptionDetails"]))[:300])
        elif kind == "Log.entryAdded" and said["entry"]["level"] == "error":
            found.append(said["entry"]["text"])
    return found


def test_no_page_asks_another_host_or_has_an_error(browser: Browser, site: str, html: Path, pages: list[Path]) -> None:
    found = {}
    for path in pages:
        browser.open(f"{site}/{path.relative_to(html)}")
        if complaints(browser, site):
            found[path.name] = complaints(browser, site)
    assert found == {}


def test_complaints_are_noticed(browser: Browser, site: str, html: Path) -> None:
    browser.open(f"{site}/index.html")
    browser.run("void fetch('http://127.0.0.1:9/x').catch(() => 0); setTimeout(() => { throw Error('oh') }); 1")
    browser.run("new Promise(done => setTimeout(() => done(1), 300))")
    said = " ".join(complaints(browser, site))
    assert "asks http://127.0.0.1:9/x" in said
    assert "oh" in said


def test_a_phone_shows_every_page_without_scrolling_sideways(
    browser: Browser, site: str, html: Path, pages: list[Path]
) -> None:
    found = {}
    for path in pages:
        browser.open(f"{site}/{path.relative_to(html)}", width=390, height=800)
        width = browser.run("document.scrollingElement.scrollWidth")
        if width > 391:
            found[path.name] = (width, browser.run(WIDEST))
    assert found == {}


def test_every_page_is_accessible_in_the_simple_ways(
    browser: Browser, site: str, html: Path, pages: list[Path]
) -> None:
    for path in pages:
        browser.open(f"{site}/{path.relative_to(html)}")
        assert browser.run("document.documentElement.lang") == "en", path.name
        assert browser.run(NAMELESS) == [], path.name
        if path.parent.name == "chapters":
            assert browser.run("document.querySelectorAll('article h1').length") == 1, path.name
            twice = (
                "(i => i.filter((x, n) => i.indexOf(x) !== n))([...document.querySelectorAll('[id]')].map(e => e.id))"
            )
            assert browser.run(twice) == [], path.name


def test_mathematics_is_drawn(browser: Browser, site: str) -> None:
    browser.open(f"{site}/chapters/05_self_attention.html")
    browser.wait_for("document.querySelectorAll('mjx-container').length > 5")
    assert browser.run("document.querySelectorAll('mjx-merror').length") == 0


def test_dark_mode_changes_the_page(browser: Browser, site: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.tt-figure svg')).color"
    seen = []
    for dark in (False, True):
        browser.open(f"{site}/chapters/12_translation.html", dark=dark)
        seen.append((browser.run(colour), browser.run(ink)))
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]
    browser.run("document.querySelector('button.theme-switch-button').click()")
    assert browser.run("document.documentElement.dataset.mode") != "auto"


def test_search_finds_a_word(browser: Browser, site: str) -> None:
    browser.open(f"{site}/search.html?q=attention")
    browser.wait_for("document.querySelectorAll('#search-results li a').length > 1")


def test_code_can_be_copied(browser: Browser, site: str) -> None:
    browser.open(f"{site}/chapters/12_translation.html")
    browser.wait_for("document.querySelectorAll('.cell_input button.copybtn').length > 20")
