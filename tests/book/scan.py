"""What a page holds, read from its HTML without a browser."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag


class Page(HTMLParser):
    """Anchors, links, resources and pictures of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.resources: list[str] = []
        self.unnamed: list[str] = []
        self.meta: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in pairs}
        if values.get("id"):
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio") and values.get("src"):
            self.resources.append(values["src"])
        if tag == "link" and values.get("rel", "") not in ("canonical", "index", "search", "next", "prev", "author"):
            self.resources.append(values.get("href", ""))
        if tag == "meta" and values.get("property"):
            self.meta[values["property"]] = values.get("content", "")
        name = values.get("alt", values.get("aria-label", "")).strip()
        pictured = tag == "img" or (values.get("role") == "img")
        if pictured and (not name or re.fullmatch(r"\S+\.(png|svg|jpe?g)", name)):
            self.unnamed.append(values.get("src", tag))


@cache  # a page is read once for each link to it
def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def is_outside(address: str) -> bool:
    return bool(re.match(r"(https?:)?//", address))


def broken_links(path: Path, html: Path) -> list[str]:
    """Links inside the book that lead nowhere."""
    broken = []
    page = read(path)
    for link in page.links:
        if is_outside(link) or link.startswith(("mailto:", "javascript:", "data:")):
            continue
        target, anchor = urldefrag(link)
        file = (path.parent / unquote(target)).resolve() if target else path
        if file.is_dir():
            file = file / "index.html"
        inside = file.is_file() and html.resolve() in file.parents
        if not inside or (anchor and file.suffix == ".html" and unquote(anchor) not in read(file).ids):
            broken.append(link)
    return broken


def outside_resources(path: Path) -> list[str]:
    """Scripts, styles, fonts and pictures that another host would have to serve."""
    found = [r for r in read(path).resources if is_outside(r)]
    return found + [u for u in re.findall(r"url\([\"']?([^)\"']+)", path.read_text()) if is_outside(u)]
