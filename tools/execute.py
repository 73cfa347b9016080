"""Executes a chapter from top to bottom and stores its outputs, with the record of what made them."""

import os
import re
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.chapters import Chapter, ChapterError, Notebook, as_json, as_text, write
from tools.generated import Address, with_generated
from tools.provenance import provenance
from tools.sync import set_provenance, synced
from ttlib import runtime
from ttlib.errors import InputError

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run(chapter: Chapter, address: Address, preset: str) -> Notebook:
    """Execute the text's cells at a preset; write nothing before all of them have passed.

    Raises:
        ChapterError: no such preset, or a cell failed; the files are as they were.
    """
    os.environ["TTLIB_PRESET"] = preset  # the kernel inherits it
    try:
        runtime.preset()
    except InputError as error:
        raise ChapterError(str(error)) from error
    notebook = synced(chapter, address)
    started = time.monotonic()
    execute(notebook, chapter)
    set_provenance(notebook, provenance(notebook, time.monotonic() - started))
    write(chapter.notebook, as_json(with_generated(chapter, notebook, address)))
    # The text is read again: somebody may have edited it in the meantime.
    text = chapter.read_text()
    set_provenance(text, notebook.metadata["ttlib"]["provenance"])
    write(chapter.text, as_text(with_generated(chapter, text, address)))
    return notebook


def execute(notebook: Notebook, chapter: Chapter) -> None:
    """Run every code cell in a kernel of this Python, in the chapter's folder, and tell what goes on."""
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(chapter.notebook.parent)}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # no lecture about TCP
    )
    n_code = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0
    with client.setup_kernel():
        for place, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            done += 1
            started = time.monotonic()
            title = next((line for line in cell.source.splitlines() if line.strip()), "")
            print(f"[{done:2d}/{n_code}] {title[:80]}", end="", flush=True)
            try:
                client.execute_cell(cell, place)
            except CellExecutionError as error:
                traceback = ANSI.sub("", error.traceback).strip()
                raise ChapterError(f"\n{chapter.name}: code cell {done} failed; nothing written\n{traceback}") from None
            print(f"  {time.monotonic() - started:.1f} s", flush=True)
    nbformat.validate(notebook)
