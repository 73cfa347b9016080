"""The chapters' commands: ``python -m tools.notebooks sync | run | check | adopt | new``."""

import argparse
import sys
from pathlib import Path

from tools.chapters import ROOT, Chapter, ChapterError, all_chapters, find_chapters, write
from tools.checks import check
from tools.generated import Address, read_address
from tools.provenance import library_hash
from tools.sync import adopt, sync

NEW = """\
---
kernelspec:
  name: python3
  display_name: Python 3
  language: python
ttlib:
  packages: []
---

# {title}

What you will be able to do, which lecture items this covers, how long it takes on a CPU and on a GPU.

+++

The first question.

```{{code-cell}}
from ttlib.runtime import choose, seed_everything

seed_everything(0)
steps = choose(ci=20, cpu=300, gpu=3000)
```
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if all is well."""
    args = _parser().parse_args(argv)
    try:
        address = read_address(args.config)
        return {"sync": _sync, "run": _run, "check": _check, "adopt": _adopt, "new": _new}[args.command](args, address)
    except ChapterError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "_config.yml", help="where the repository's address is")
    parser.add_argument("--chapters", type=Path, default=ROOT / "chapters", help="the folder of the notebooks")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("sync", "write both files of each pair: cells from the text, outputs from the notebook"),
        ("check", "complain about pairs that differ, stale outputs, missing records, machine paths"),
        ("adopt", "take the cells of an edited notebook into its text"),
    ):
        commands.add_parser(name, help=text).add_argument("names", nargs="*", help="chapters; all if none is named")
    run = commands.add_parser("run", help="execute a chapter and store its outputs")
    run.add_argument("name", help="a chapter, or the beginning of its name")
    run.add_argument("--preset", required=True, help="ci, cpu or gpu")
    new = commands.add_parser("new", help="begin a chapter")
    new.add_argument("name", help="such as 05_self_attention")
    new.add_argument("title", help="such as 'Self-attention'")
    return parser


def _sync(args: argparse.Namespace, address: Address) -> int:
    for chapter in find_chapters(args.chapters, args.names):
        print(f"{chapter.name}: {'written' if sync(chapter, address) else 'already in step'}")
    return 0


def _run(args: argparse.Namespace, address: Address) -> int:
    from tools.execute import run  # here, since the other commands need no kernel

    (chapter,) = find_chapters(args.chapters, [args.name])
    run(chapter, address, args.preset)
    return _report([chapter], address)


def _check(args: argparse.Namespace, address: Address) -> int:
    return _report(find_chapters(args.chapters, args.names), address)


def _report(chapters: list[Chapter], address: Address) -> int:
    complaints = [complaint for chapter in chapters for complaint in check(chapter, address)]
    for chapter in chapters:
        notebook = chapter.read_notebook()
        record = (notebook or {}).get("metadata", {}).get("ttlib", {}).get("provenance", {})
        if record and record.get("library_hash") != library_hash(ROOT / "ttlib"):
            print(f"{chapter.name}: note: ttlib has changed since these outputs were made")
    print("\n".join(complaints) or f"{len(chapters)} chapters: pairs agree, outputs are fresh and recorded")
    return 1 if complaints else 0


def _adopt(args: argparse.Namespace, address: Address) -> int:
    for chapter in find_chapters(args.chapters, args.names):
        print(f"{chapter.name}: text {'written' if adopt(chapter, address) else 'already in step'}")
    return 0


def _new(args: argparse.Namespace, address: Address) -> int:
    chapter = Chapter(args.chapters / f"{args.name}.ipynb")
    if chapter in all_chapters(args.chapters):
        raise ChapterError(f"name: got {args.name!r}, need one that is not taken")
    write(chapter.text, NEW.format(title=args.title))
    sync(chapter, address)
    print(f"{chapter.text}: edit it, then `make run CHAPTER={chapter.name} PRESET=cpu`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
