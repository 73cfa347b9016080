"""The two files of a chapter are brought together: cells from the text, outputs from the notebook."""

import pytest

from tools.chapters import ChapterError, find_chapters
from tools.generated import read_address
from tools.notebooks import main
from tools.sync import adopt, sync


def outputs(book):
    return [cell.outputs for cell in book.chapter.read_notebook().cells if cell.cell_type == "code"]


def test_sync_changes_nothing_twice(book):
    assert not sync(book.chapter, book.address)


def test_sync_keeps_outputs_and_ids(book):
    before = book.chapter.read_notebook()
    book.edit("It can:", "Indeed it can:")
    assert sync(book.chapter, book.address)
    after = book.chapter.read_notebook()
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    assert "Indeed it can:" in [cell.source for cell in after.cells]
    assert after.metadata.ttlib.provenance == before.metadata.ttlib.provenance


def test_sync_keeps_the_provenance_out_of_the_texts_metadata(book):
    assert "code_hash" in book.chapter.notebook.read_text()
    assert "code_hash" not in book.chapter.text.read_text()


def test_sync_strips_times_of_execution(book):
    before = book.chapter.notebook.read_text()
    book.damage('"metadata": {}', '"metadata": {"execution": {"shell.execute_reply": "2026-01-01"}}')
    assert sync(book.chapter, book.address)
    assert book.chapter.notebook.read_text() == before


def test_a_file_that_is_no_notebook_is_named(book):
    book.damage('"cells": [', "<<<<<<< ours")
    with pytest.raises(ChapterError, match=r"05_tiny: chapters/05_tiny.ipynb is not a notebook"):
        sync(book.chapter, book.address)


def test_adopt_takes_an_edited_notebook_into_the_text(book):
    book.damage("print(1 + 1)", "print(1 + 3)")
    assert adopt(book.chapter, book.address)
    assert "print(1 + 3)" in book.chapter.text.read_text()


def test_first_cell_must_be_a_title(book):
    book.edit("# Tiny", "Tiny")
    with pytest.raises(ChapterError, match="05_tiny: the first cell must be markdown and begin with '# Title'"):
        sync(book.chapter, book.address)


@pytest.mark.parametrize("name", ["05", "05_tiny", "chapters/05_tiny.ipynb"])
def test_chapters_are_found_by_the_beginning_of_their_name(book, name):
    assert find_chapters(book.chapter.notebook.parent, [name]) == [book.chapter]


def test_unknown_chapter_is_answered_with_those_there_are(book):
    with pytest.raises(ChapterError, match="CHAPTER: got '12', need one of 05_tiny"):
        find_chapters(book.chapter.notebook.parent, ["12"])


def test_a_config_without_an_address_is_refused(book):
    book.config.write_text("title: Book\n")
    with pytest.raises(ChapterError, match=r"_config.yml: no repository.url"):
        read_address(book.config)


def test_new_begins_a_chapter(book, capsys):
    folder = book.chapter.notebook.parent
    where = ["--config", str(book.config), "--chapters", str(folder)]
    assert main([*where, "new", "06_next", "The next one"]) == 0
    assert (folder / "text" / "06_next.md").read_text().count("# The next one") == 1
    assert main([*where, "new", "06_next", "The next one"]) == 1
    assert "name: got '06_next', need one that is not taken" in capsys.readouterr().err
