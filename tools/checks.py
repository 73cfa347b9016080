"""What must be true of a chapter's two files. Each check gives a list of complaints; an empty one is good."""

import re

from tools.chapters import Chapter, Notebook, as_json, as_text
from tools.generated import Address, is_generated, packages, tags, with_generated
from tools.paths import machine_paths
from tools.provenance import KEYS, code_hash
from tools.sync import synced

MAX_BYTES = 3_000_000
RERUN = "run `make run CHAPTER=… PRESET=…`"


def check(chapter: Chapter, address: Address) -> list[str]:
    """Everything that is wrong with a chapter, each with what to do."""
    old = chapter.read_notebook()
    if old is None or not chapter.text.is_file():
        missing = chapter.notebook if old is None else chapter.text
        return [f"{chapter.name}: no file {missing.name}; run `make sync`, or `adopt` for a missing text"]
    # What comes first would only make the later ones complain too.
    complaints = pair_differences(chapter.read_text(), old) + unrecorded_outputs(old)
    if not complaints:
        complaints = wrong_generated(chapter, old, address) + stale_outputs(old) + bad_outputs(old)
        complaints += bad_packages(old) + too_big(chapter)
    if not complaints:
        complaints = unsynced(chapter, address)
    return [f"{chapter.name}: {complaint}" for complaint in complaints]


def pair_differences(text: Notebook, notebook: Notebook) -> list[str]:
    """The first cell in which the two files differ by kind, source or metadata (tags)."""
    for number, (ours, theirs) in enumerate(zip(text.cells, notebook.cells, strict=False), 1):
        for what in ("cell_type", "source", "metadata"):
            a, b = (_comparable(cell, what) for cell in (ours, theirs))
            if a != b:
                return [f"cell {number}: {what} is {a!r} in the text, {b!r} in the notebook; run `make sync`"]
    if len(text.cells) != len(notebook.cells):
        return [f"{len(text.cells)} cells in the text, {len(notebook.cells)} in the notebook; run `make sync`"]
    return []


def _comparable(cell: Notebook, what: str) -> object:
    return {k: v for k, v in cell.metadata.items() if k != "execution"} if what == "metadata" else cell[what]


def wrong_generated(chapter: Chapter, notebook: Notebook, address: Address) -> list[str]:
    """Whether the Colab line and the setup cell are there, in their place, as `sync` would make them."""

    def parts(cells: list[Notebook]) -> list[tuple[bool, str]]:
        return [(is_generated(cell), cell.source if is_generated(cell) else "") for cell in cells]

    found = parts(notebook.cells)
    wanted = parts(with_generated(chapter, chapter.read_notebook(), address).cells)
    return [] if found == wanted else ["the generated cells are not what `make sync` would write; run it"]


def unrecorded_outputs(notebook: Notebook) -> list[str]:
    """Whether it is recorded what made the stored outputs."""
    missing = [key for key in KEYS if key not in notebook.metadata.get("ttlib", {}).get("provenance", {})]
    return [f"no record of {', '.join(missing)} for the stored outputs; {RERUN}"] if missing else []


def stale_outputs(notebook: Notebook) -> list[str]:
    """Whether the outputs were made by the present code, from top to bottom."""
    if notebook.metadata["ttlib"]["provenance"]["code_hash"] != code_hash(notebook):
        return [f"the outputs are older than the code; {RERUN}"]
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        return [f"cells were not executed once each from top to bottom (counts {counts}); {RERUN}"]
    return []


def bad_outputs(notebook: Notebook) -> list[str]:
    """Stored errors, warnings, and paths of the machine that made them."""
    complaints = []
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                complaints.append(f"cell {number} has a stored error: {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                complaints.append(f"cell {number} has stored warnings: {output.text[:200]!r}")
            complaints += [f"cell {number}'s output names a path of a machine: {path}" for path in _paths(output)]
    return complaints


def _paths(output: Notebook) -> list[str]:
    texts = [output.get("text", ""), *(str(v) for k, v in output.get("data", {}).items() if _is_text(k))]
    return machine_paths("\n".join([*texts, *output.get("traceback", [])]))


def _is_text(mimetype: str) -> bool:
    return mimetype.startswith("text/") or mimetype in ("application/json", "image/svg+xml")


def bad_packages(notebook: Notebook) -> list[str]:
    """The chapter's packages that are not pinned, or that would replace the reader's torch."""
    pins = packages(notebook)
    loose = [pin for pin in pins if not re.fullmatch(r"[\w.-]+==\S+", pin) or pin.startswith("torch==")]
    return [f"package {pin!r}: need name==version, and never torch" for pin in loose]


def too_big(chapter: Chapter) -> list[str]:
    """Whether the notebook is too big to review and to open on a phone."""
    size = chapter.notebook.stat().st_size
    return [f"the notebook has {size:,} bytes, at most {MAX_BYTES:,}"] if size > MAX_BYTES else []


def unsynced(chapter: Chapter, address: Address) -> list[str]:
    """Whether `sync` would still change something, such as an order of keys or a time of execution."""
    notebook = synced(chapter, address)
    wanted = {chapter.notebook: as_json(notebook), chapter.text: as_text(notebook)}
    differs = [path.name for path, content in wanted.items() if path.read_text(encoding="utf-8") != content]
    return [f"`make sync` would change {name}; run it" for name in differs]
