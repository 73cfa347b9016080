"""Executing a chapter stores its outputs and what made them, or nothing at all."""

import pytest
import torch

from tools.chapters import ChapterError
from tools.execute import run


def test_run_stores_outputs_and_provenance(book):
    notebook = book.chapter.read_notebook()
    texts = [output.text for cell in notebook.cells for output in cell.get("outputs", [])]
    assert texts == ["2\n", "ci\n"]
    provenance = notebook.metadata.ttlib.provenance
    assert provenance["preset"] == "ci"
    assert provenance["torch"] == torch.__version__
    assert provenance["seconds"] > 0


def test_the_reader_sees_the_provenance(book):
    notebook = book.chapter.read_notebook()
    (line,) = [cell.source for cell in notebook.cells if "generated" in cell.metadata.get("tags", [])]
    record = notebook.metadata.ttlib.provenance
    for part in ("preset `ci`", record["hardware"], f"torch {torch.__version__}", record["date"]):
        assert part in line


def test_a_failing_cell_leaves_both_files_as_they_were(book):
    book.edit("print(1 + 1)", "print(1 + nothing)")
    before = [path.read_bytes() for path in (book.chapter.notebook, book.chapter.text)]
    with pytest.raises(ChapterError, match=r"(?s)05_tiny: code cell 2 failed; nothing written.*NameError"):
        run(book.chapter, book.address, "ci")
    assert [path.read_bytes() for path in (book.chapter.notebook, book.chapter.text)] == before
    assert not list(book.chapter.notebook.parent.glob(".*"))


def test_an_unknown_preset_is_refused_before_anything_runs(book, monkeypatch):
    monkeypatch.setenv("TTLIB_PRESET", "ci")
    with pytest.raises(ChapterError, match="TTLIB_PRESET: got 'huge', need one of ci, cpu, gpu"):
        run(book.chapter, book.address, "huge")
