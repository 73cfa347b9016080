"""Rarer ways in which a built page could load something from elsewhere, and the title of every page."""

import re
from html.parser import HTMLParser
from pathlib import Path

from tests.book.scan import is_outside

# Attributes, besides src, whose address a browser fetches by itself; of links it fetches all but these kinds.
LOADING = {("object", "data"), ("video", "poster"), ("use", "href"), ("use", "xlink:href"), ("image", "href")}
UNLOADED = {"alternate", "author", "canonical", "help", "index", "license", "next", "prev", "search"}
IMPORT = re.compile(r"@import\s+(?:url\()?\s*[\"']?([^\"')\s;]+)")


class Loads(HTMLParser):
    """Every address that a page loads by itself, and its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = IMPORT.findall(text)
        self.title = ""
        self.in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        self.in_title = tag == "title" and not self.title
        values = {name: value or "" for name, value in pairs}
        for name, value in values.items():
            if name == "src" or (tag, name) in LOADING:
                self.addresses.append(value)
            elif name in ("srcset", "imagesrcset"):
                self.addresses += [part.split()[0] for part in value.split(",") if part.strip()]
        if tag == "link" and not set(values.get("rel", "").lower().split()) <= UNLOADED:
            self.addresses.append(values.get("href", ""))

    def handle_data(self, data: str) -> None:
        self.title += data if self.in_title else ""

    def handle_endtag(self, tag: str) -> None:
        self.in_title = False


def loaded_from_outside(path: Path) -> list[str]:
    """Addresses on other hosts that a page or a style sheet loads."""
    text = path.read_text(encoding="utf-8")
    addresses = Loads(text).addresses if path.suffix == ".html" else IMPORT.findall(text)
    return [address for address in addresses if is_outside(address.strip())]


def test_nothing_is_loaded_from_outside_in_any_other_way(pages: list[Path], html: Path) -> None:
    sheets = list((html / "_static").rglob("*.css"))
    assert sheets
    assert {p.name: found for p in [*pages, *sheets] if (found := loaded_from_outside(p))} == {}


def test_every_page_has_a_title_of_its_own(pages: list[Path], html: Path) -> None:
    titles = {p.name: Loads(p.read_text(encoding="utf-8")).title for p in pages if p != html / "index.html"}
    assert {name for name, title in titles.items() if not title.strip()} == set()
    assert len(set(titles.values())) == len(titles)


def test_each_way_of_loading_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<title>Masks &amp; paths</title><svg><title>no</title><use href='//h/use.svg#a'/></svg>"
        "<style>@import 'https://h/one.css'; @import url(\"https://h/two.css\");</style>"
        "<img src='a.png' srcset='b.png 1x, https://h/c.png 2x' alt='x'><embed src='http://h/embed'>"
        "<object data='https://h/object'></object><video poster='https://h/poster.png'></video>"
        "<link rel='icon' href='https://h/icon'><link rel='preconnect' href='https://h'>"
        "<link rel='canonical' href='https://h/here'><a href='https://h/link'>may stay</a>"
    )
    assert Loads(page.read_text()).title == "Masks & paths"
    assert sorted(loaded_from_outside(page)) == [
        *("//h/use.svg#a", "http://h/embed", "https://h", "https://h/c.png", "https://h/icon", "https://h/object"),
        *("https://h/one.css", "https://h/poster.png", "https://h/two.css"),
    ]
    sheet = tmp_path / "sheet.css"
    sheet.write_text('@import url("//h/three.css"); @import "four.css";')
    assert loaded_from_outside(sheet) == ["//h/three.css"]
