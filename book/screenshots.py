"""Take pictures of built pages, to look at them: ``python -m book.screenshots OUT [chapters/intro.html ...]``.

Desktop (1280) and phone (390), light and dark: ``intro-phone-dark.png``. A page taller than 4,000 pixels is cut
into parts: ``intro-phone-dark-1.png``, ``intro-phone-dark-2.png``, ...
"""

import argparse
import sys
from pathlib import Path

from book.browser import Browser, find_browser

HTML = Path(__file__).parent.parent / "_build" / "html"
WIDTHS = {"desktop": 1280, "phone": 390}
PART = 4000
OVERLAP = 100


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("pages", nargs="*", help="paths inside the built book; default: all chapters")
    parser.add_argument("--html", type=Path, default=HTML, help="the built book; default: _build/html")
    args = parser.parse_intermixed_args(arguments)
    pages = [args.html / page for page in args.pages] or sorted((args.html / "chapters").glob("*.html"))
    missing = [str(page) for page in pages if not page.is_file()]
    if missing or not pages:
        parser.error(f"no such page: {', '.join(missing) or args.html / 'chapters'}; run `make book` first")
    program = find_browser()
    if program is None:
        parser.error("need Chrome or Chromium on the path")
    args.out.mkdir(parents=True, exist_ok=True)
    with Browser(program) as browser:
        for page in pages:
            for device, width in WIDTHS.items():
                for mode in ("light", "dark"):
                    browser.open(page.resolve().as_uri(), width, dark=mode == "dark")
                    shoot(browser, args.out, f"{page.stem}-{device}-{mode}", width)
    return 0


def shoot(browser: Browser, folder: Path, name: str, width: int) -> None:
    """Write the open page, in parts if it is tall. Parts overlap, as the page's header covers the top of each."""
    # A tall screen that scrolls: what Chromium captures beyond its screen comes out shifted or empty.
    height = "document.documentElement.scrollHeight"
    browser.resize(width, min(PART, browser.run(height)))
    tops = range(0, max(1, browser.run(height) - OVERLAP), PART - OVERLAP)
    for part, top in enumerate(tops, start=1):
        stem = name if len(tops) == 1 else f"{name}-{part}"
        (folder / f"{stem}.png").write_bytes(browser.picture(top))


if __name__ == "__main__":
    sys.exit(main())
