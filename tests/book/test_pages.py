"""Links, pictures, addresses and lists of the built pages, without a browser."""

import re
from pathlib import Path

import pytest
import yaml

from tests.book.conftest import ROOT
from tests.book.scan import Page, broken_links, outside_resources, read

LECTURES = ROOT.parent / "shared" / "lectures"
CHAPTERS = ROOT / "chapters"


def test_links_inside_the_book_lead_somewhere(pages: list[Path], html: Path) -> None:
    assert {p.name: found for p in pages if (found := broken_links(p, html))} == {}


def test_no_page_needs_another_host(pages: list[Path], html: Path) -> None:
    sheets = list((html / "_static").rglob("*.css"))
    assert {p.name: found for p in [*pages, *sheets] if (found := outside_resources(p))} == {}


def test_every_picture_says_what_it_shows(pages: list[Path]) -> None:
    assert {p.name: found for p in pages if (found := read(p).unnamed)} == {}


def test_the_scans_can_fail(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="x">A</h1>')
    bad = tmp_path / "b.html"
    bad.write_text(
        '<a href="a.html#x">1</a><a href="a.html#y">2</a><a href="c.html">3</a><a href="#z">4</a>'
        '<script src="https://cdn.example/x.js"></script><link rel="stylesheet" href="//cdn.example/x.css">'
        '<style>@font-face{src:url(https://fonts.example/f.woff)}</style><img src="p.png"><img src="q.png" alt="q.png">'
        '<div role="img" aria-label="A curve that falls"></div>'
    )
    assert broken_links(bad, tmp_path) == ["a.html#y", "c.html", "#z"]
    assert len(outside_resources(bad)) == 3
    assert read(bad).unnamed == ["p.png", "q.png"]


def notebook_pages(html: Path) -> list[tuple[Path, str]]:
    found = [(html / "chapters" / f"{p.stem}.html", p.stem) for p in sorted(CHAPTERS.glob("*.ipynb"))]
    assert found
    return found


def test_buttons_lead_to_the_address_in_the_configuration(html: Path) -> None:
    where = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    name = where["url"].removeprefix("https://github.com/")
    for path, stem in notebook_pages(html):
        links = read(path).links
        colab = f"https://colab.research.google.com/github/{name}/blob/{where['branch']}/chapters/{stem}.ipynb"
        assert links.count(colab) == 2, f"{stem}: the button and the line below the title"
        assert where["url"] in links
        assert any(link.startswith(f"{where['url']}/issues/new") for link in links)


def test_social_preview(pages: list[Path], html: Path) -> None:
    for path in pages:
        if path.parent.name == "chapters":
            meta = read(path).meta
            assert meta["og:title"]
            assert meta["og:site_name"] == "The Executable Transformer"
            assert meta["og:image"].endswith("_static/social.png")
    assert (html / "_static" / "social.png").is_file()


@pytest.mark.parametrize(
    ("source", "page", "pattern"),
    [
        ("coverage.md", "lecture_map.md", r"^\| (C\d\d) \|"),
        ("questions.md", "questions.md", r"\b([RZN]\d+) (?=[A-Z])"),
        ("errata.md", "errata.md", r"^\| (E\d\d) \|"),
    ],
)
def test_every_item_of_the_lectures_has_one_row(source: str, page: str, pattern: str) -> None:
    if not LECTURES.is_dir():
        pytest.skip("the lectures' lists are not beside this clone")
    wanted = re.findall(pattern, (LECTURES / source).read_text(), re.M)
    listed = re.findall(r"^\| ([A-Z]\d+) \|", (CHAPTERS / page).read_text(), re.M)
    assert len(wanted) >= 36
    assert sorted(listed) == sorted(set(wanted))


def test_citations_and_references_agree() -> None:
    cited: set[str] = set()
    for text in [*CHAPTERS.glob("text/*.md"), *CHAPTERS.glob("*.md")]:
        for keys in re.findall(r"\{cite[^}]*\}`([^`]+)`", text.read_text()):
            cited |= {key.strip() for key in keys.split(",")}
    known = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text(), re.M))
    assert cited
    assert cited == known


def rows(page: str) -> dict[str, str]:
    """The rows of a list, by id."""
    return dict(re.findall(r"^\| ([A-Z]\d+) \|(.*)$", (CHAPTERS / page).read_text(), re.M))


def targets(chapter: str) -> set[str]:
    """All that a link may lead to in a chapter: its labels, and its headings as anchors."""
    plain = re.sub(r"^```.*?^```", "", chapter, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", plain, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return anchors | set(re.findall(r"^\(([\w-]+)\)=$", plain, re.M))


def sections(row: str) -> set[str]:
    """The sections of chapters that a row (or a page) leads to."""
    return set(re.findall(r"\{ref\}`[^`<]*<([\w-]+)>`|\.ipynb#([\w-]+)\)", row))


def promised(chapter: str) -> set[str]:
    """The items that a chapter says, at its top, that it covers."""
    line = re.search(r"^Lecture items: .*$", chapter, re.M)
    assert line, "no line 'Lecture items: …'"
    found = set(re.findall(r"\b[A-Z]\d+\b", line[0]))
    for letter, first, last in re.findall(r"\b([A-Z])(\d+)–[A-Z]?(\d+)", line[0]):
        found |= {f"{letter}{n:0{len(first)}d}" for n in range(int(first), int(last) + 1)}
    return found


def test_lists_lead_to_what_the_chapters_say_they_cover() -> None:
    listed = rows("lecture_map.md") | rows("questions.md") | rows("errata.md")
    linked = {name: {a or b for a, b in sections(row)} for name, row in listed.items()}
    covered: set[str] = set()
    found: dict[str, set[str]] = {}
    for path in CHAPTERS.glob("text/*.md"):
        chapter = path.read_text()
        for name in promised(chapter):
            assert linked[name], f"{path.name} covers {name}, but its row has no link"
            assert linked[name] & targets(chapter), f"{name}: its row leads to no place in {path.name}"
            found.setdefault(name, set()).update(targets(chapter))
        covered |= promised(chapter)
    for name in covered:
        assert linked[name] <= found[name], f"{name}: its row leads to a chapter that does not promise it"
    assert {name for name, places in linked.items() if places} == covered


def test_labels_that_the_pages_name_exist() -> None:
    known = {place for path in CHAPTERS.glob("text/*.md") for place in targets(path.read_text())}
    for page in CHAPTERS.glob("*.md"):
        assert {a or b for a, b in sections(page.read_text())} <= known, page.name


def test_promises_and_places_are_read_rightly() -> None:
    assert promised("Lecture items: C18–C20, C42. Corrected: E16.") == {"C18", "C19", "C20", "C42", "E16"}
    assert targets("(a-b)=\n## Why √d, now?\n```\n# no heading\n```\n") == {"a-b", "why-d-now"}
    assert sections("{ref}`T <q-n4>` and [x](05_a.ipynb#d-e), [y](z.md)") == {("q-n4", ""), ("", "d-e")}


def test_a_page_reads_as_html() -> None:
    page = Page('<html><body><a id="k" href="x">y</a></body></html>')
    assert (page.ids, page.links) == (["k"], ["x"])
