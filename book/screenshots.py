"""Take pictures of built pages, to look at them: ``python -m book.screenshots OUT [chapters/intro.html ...]``.

Desktop (1280) and phone (390), light and dark; tall pages are cut into parts of 3,000 pixels.
"""

import argparse
import sys
from pathlib import Path

from book.browser import Browser, find_browser

HTML = Path(__file__).parent.parent / "_build" / "html"
WIDTHS = {"desktop": 1280, "phone": 390}
PART = 3000


def main() -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("pages", nargs="*", help="paths inside _build/html; default: all chapters")
    parser.add_argument("--html", type=Path, default=HTML)
    args = parser.parse_intermixed_args()
    program = find_browser()
    if program is None:
        print("need Chromium or Chrome on the path", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    pages = args.pages or [str(p.relative_to(args.html)) for p in sorted((args.html / "chapters").glob("*.html"))]
    with Browser(program) as browser:
        for page in pages:
            for device, width in WIDTHS.items():
                for dark in (False, True):
                    browser.open((args.html / page).resolve().as_uri(), width, dark=dark)
                    shoot(browser, args.out / f"{Path(page).stem}-{device}-{'dark' if dark else 'light'}", width)
    return 0


def shoot(browser: Browser, stem: Path, width: int) -> None:
    """Write one page in parts."""
    height = browser.run("document.documentElement.scrollHeight")
    for part, y in enumerate(range(0, height, PART)):
        stem.with_name(f"{stem.name}-{part}.png").write_bytes(browser.picture(y, width, min(PART, height - y)))


if __name__ == "__main__":
    sys.exit(main())
