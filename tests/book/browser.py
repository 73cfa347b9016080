"""What an open page must satisfy, asked of the browser. Each check gives a list of faults."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from book.browser import Browser

PHONE = 390
CONTROLS = ("button", "link", "textbox", "searchbox", "checkbox", "combobox", "slider", "DisclosureTriangle", "image")
# The widest elements that stick out of the screen; what scrolls inside its own box does not widen the page.
WIDEST = """(() => {
  const scrolls = e => getComputedStyle(e).overflowX !== 'visible';
  const clips = e => e && e !== document.body && (scrolls(e) || clips(e.parentElement));
  const screen = document.documentElement.clientWidth;  // innerWidth grows with what sticks out
  return [...document.querySelectorAll('body *')]
    .map(e => [Math.round(e.getBoundingClientRect().right + scrollX), e])
    .filter(([right, e]) => right > screen + 1 && !clips(e.parentElement))
    .sort((a, b) => b[0] - a[0]).slice(0, 3)
    .map(([right, e]) => `${right} px: ${e.outerHTML.slice(0, 100)}`);
})()"""
STRUCTURE = """(() => {
  const faults = [], ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  const titles = [...document.querySelectorAll('h1')].filter(e => e.getClientRects().length);
  if (document.documentElement.lang !== 'en') faults.push(`lang is '${document.documentElement.lang}'`);
  if (!document.title) faults.push('no title');
  if (titles.length !== 1) faults.push(`${titles.length} h1`);
  return faults.concat(ids.filter((x, n) => ids.indexOf(x) !== n).map(id => `id '${id}' twice`));
})()"""
UNDRAWN = """[...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container')
  || e.querySelector('mjx-merror')).map(e => e.textContent.trim().slice(0, 80))"""
# What sticks out of a scrolling box on the left cannot be scrolled to.
CUT = """[...document.querySelectorAll('div.math')].filter(box => [...box.querySelectorAll('mjx-mi, mjx-mo, mjx-mn')]
  .some(e => e.getBoundingClientRect().left < box.getBoundingClientRect().left - 1))
  .map(e => e.textContent.trim().slice(0, 80))"""
UNCOPIED = """[...document.querySelectorAll('.cell_input div.highlight')]
  .filter(e => !e.querySelector('button.copybtn')).map(e => e.textContent.trim().slice(0, 80))"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a folder on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def complaints(browser: Browser, site: str) -> list[str]:
    """Requests to other hosts, failed requests, exceptions and errors on the console since the page was opened."""
    browser.run("new Promise(done => setTimeout(() => done(true), 50))")  # what starts after the page has loaded
    return [fault for event in browser.events if (fault := complaint(event["method"], event["params"], site))]


def complaint(method: str, said: dict[str, Any], site: str) -> str | None:
    if method == "Network.requestWillBeSent" and not said["request"]["url"].startswith((f"{site}/", "data:", "blob:")):
        return f"asks {said['request']['url']}"
    if method == "Network.webSocketCreated":
        return f"asks {said['url']}"
    if method == "Network.responseReceived" and said["response"]["status"] >= 400:
        return f"{said['response']['status']} {said['response']['url']}"
    if method == "Runtime.exceptionThrown":
        details = said["exceptionDetails"]
        return str(details.get("exception", {}).get("description") or details["text"])[:300]
    if method == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
        return "console: " + " ".join(str(a.get("value", a.get("description"))) for a in said["args"])[:300]
    if method == "Log.entryAdded" and said["entry"]["level"] == "error":
        return str(said["entry"]["text"])
    return None


def overflow(browser: Browser) -> list[str]:
    """What makes a page that is open on a phone scroll sideways."""
    width = browser.run("document.scrollingElement.scrollWidth")
    return [f"{width} px wide", *browser.run(WIDEST)] if width > PHONE + 1 else []


def nameless(browser: Browser) -> list[str]:
    """Controls and pictures for which the browser finds no name to read out."""
    found = []
    page = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
    for role in CONTROLS:
        for node in browser.call("Accessibility.queryAXTree", nodeId=page, role=role)["nodes"]:
            if not node["ignored"] and not node.get("name", {}).get("value", "").strip():
                element = browser.call("DOM.describeNode", backendNodeId=node["backendDOMNodeId"])["node"]
                found.append(f"{element['nodeName'].lower()} {' '.join(element.get('attributes', []))}"[:120])
    return found
