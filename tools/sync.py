"""Brings the two files of a chapter together: cells and tags from the text, outputs from the notebook."""

from jupytext.combine import map_outputs_to_inputs

from tools.chapters import Chapter, ChapterError, Notebook, as_json, as_text, write
from tools.generated import Address, is_generated, with_generated


def synced(chapter: Chapter, address: Address) -> Notebook:
    """The chapter as both files should hold it. Writes nothing."""
    notebook = chapter.read_text()
    old = chapter.read_notebook()
    if old is not None:
        notebook = _with_outputs(notebook, old)
    return with_generated(chapter, notebook, address)


def _with_outputs(text: Notebook, old: Notebook) -> Notebook:
    """The text's cells with the ids and outputs of the notebook's; the generated ones as the notebook has them."""
    authors, theirs = ([cell for cell in cells if not is_generated(cell)] for cells in (text.cells, old.cells))
    for cell, place in zip(authors, map_outputs_to_inputs(authors, theirs), strict=True):
        if place is not None:
            cell.id = theirs[place].id
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = theirs[place].outputs, theirs[place].execution_count
    text.cells = [*authors, *(cell for cell in old.cells if is_generated(cell))]
    set_provenance(text, old.metadata.get("ttlib", {}).get("provenance"))
    text.nbformat_minor = old.nbformat_minor
    return text


def set_provenance(notebook: Notebook, provenance: dict[str, object] | None) -> None:
    """Record what made the stored outputs; it stands in the notebook, not in the text's metadata."""
    if provenance:
        notebook.metadata.setdefault("ttlib", {})["provenance"] = provenance


def sync(chapter: Chapter, address: Address) -> bool:
    """Write both files as they should be; say whether one has changed."""
    notebook = synced(chapter, address)
    changed = [write(chapter.notebook, as_json(notebook)), write(chapter.text, as_text(notebook))]
    return any(changed)


def adopt(chapter: Chapter, address: Address) -> bool:
    """Take the cells from a notebook that was edited in Jupyter or Colab into its text; say whether it changed."""
    notebook = chapter.read_notebook()
    if notebook is None:
        raise ChapterError(f"{chapter.name}: no file {chapter.notebook}")
    return write(chapter.text, as_text(with_generated(chapter, notebook, address)))
