"""Executes one notebook alone in an empty folder, as Colab does, and reports what that changed in the environment.

Run by the Python that is to be tested (a fresh environment, or Colab's own); needs nothing but nbclient.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

WHERE = "import ttlib\nprint(ttlib.__file__)"


def main(argv: list[str] | None = None) -> int:
    """Execute and print the report as JSON; 1 if something that was there has changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--setup-only", action="store_true", help="execute the setup cell and no other")
    args = parser.parse_args(argv)
    os.environ.setdefault("TTLIB_PRESET", "ci")
    report = run_alone(args.notebook, args.setup_only)
    print(json.dumps(report, indent=1))
    return 1 if report["changed"] or report["torch"][0] != report["torch"][1] else 0


def run_alone(notebook: Path, setup_only: bool) -> dict[str, Any]:
    """What was installed and what changed, where ttlib came from, and torch before and after."""
    before, torch, started = installed(), fingerprint("torch"), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ttlib = execute(notebook, Path(folder), setup_only)
    after = installed()
    return {
        "seconds": round(time.monotonic() - started, 1),
        "ttlib": ttlib,
        "added": {name: version for name, version in after.items() if name not in before},
        "changed": {name: [version, after.get(name)] for name, version in before.items() if after.get(name) != version},
        "torch": [torch, fingerprint("torch")],
    }


def execute(notebook: Path, folder: Path, setup_only: bool) -> str:
    """Copy a notebook into an empty folder and run it there; the path that ttlib was imported from."""
    content = nbformat.read(notebook, as_version=4)
    if setup_only:
        content.cells = [cell for cell in content.cells if "setup" in cell.metadata.get("tags", [])]
    content.cells.append(nbformat.v4.new_code_cell(WHERE))
    nbformat.write(content, folder / notebook.name)
    NotebookClient(content, timeout=None, resources={"metadata": {"path": str(folder)}}).execute()
    return str(content.cells[-1].outputs[0].text).strip()


def installed() -> dict[str, str]:
    """Every installed package with its version."""
    return {found.metadata["Name"]: found.version for found in metadata.distributions()}


def fingerprint(package: str) -> dict[str, Any]:
    """A package's version, the hash of its list of files, and the size and time of change of each of them."""
    found = metadata.distribution(package)
    files = [(str(file), Path(str(found.locate_file(file)))) for file in found.files or [] if ".." not in file.parts]
    stats = [(name, path.stat()) for name, path in files if path.suffix != ".pyc"]
    state = json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
    record = found.read_text("RECORD") or ""
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in (record, state)]
    return {"version": found.version, "record": digests[0], "files": digests[1]}


if __name__ == "__main__":
    sys.exit(main())
