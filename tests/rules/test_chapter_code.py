"""Every definition in a chapter is the library's, a simpler one proved equal to it, or said to be one of a kind."""

import ast
import difflib
import re
from pathlib import Path

import pytest

from tests.rules.source import Definition, bare, code_cells, find, in_cell, modules, parse_cell
from tools.chapters import ROOT, all_chapters

TRIVIAL = 3  # lines
HEADING = re.compile(r"# *(same as|simplified:|only here:) +(\S.*)")
NEED = "needs a heading: '# same as ttlib.…', '# simplified: ttlib.…' or '# only here: why' (see CONTRIBUTING.md)"


def wrong_definitions(cells: list[str], library: dict[str, Path]) -> list[str]:
    """What is wrong with the definitions of a chapter, given its code cells in order."""
    complaints = []
    for number, source in enumerate(cells):
        for definition in in_cell(source, f"code cell {number + 1}"):
            if definition.n_lines > TRIVIAL or HEADING.search(definition.heading):
                complaint = _wrong(definition, [source, *cells[number + 1 :]], library)
                complaints += [f"{definition.where}, {definition.node.name}: {complaint}"] if complaint else []
    return complaints


def _wrong(definition: Definition, later: list[str], library: dict[str, Path]) -> str:
    heading = HEADING.search(definition.heading)
    if heading is None:
        return NEED
    kind, rest = heading.groups()
    if kind == "only here:":
        return _not_only_here(definition, rest, library)
    twin = find(rest.strip(), definition.node.name, library)
    if twin is None:
        return f"there is no {rest.strip()}"
    return _difference(definition, twin) if kind == "same as" else _unproved(definition, twin.name, later)


def _not_only_here(definition: Definition, why: str, library: dict[str, Path]) -> str:
    if len(why.split()) < 3:
        return f"'# only here: {why}' gives no reason"
    homes = [module for module in library if find(module, definition.node.name, library) is not None]
    return f"stands in {homes[0]} too: import it, or head it '# same as'" if homes else ""


def _difference(definition: Definition, twin: ast.AST) -> str:
    ours, theirs = bare(definition.node), bare(twin)
    lines = difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "ttlib", "chapter", lineterm="", n=0)
    return "" if ours == theirs else "differs from ttlib:\n" + "\n".join(lines)


def _unproved(definition: Definition, twin: str, later: list[str]) -> str:
    trees = [parse_cell(source) for source in later]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_proof(node)]
    made = _made_from(trees)
    for call in calls:
        named = {name for argument in call.args for name in _names(argument)}
        named |= {name for variable in named for name in made.get(variable, ())}
        if {definition.node.name, twin} <= named:
            return ""
    return f"is not followed by same_output({definition.node.name}…, {twin}…, inputs)"


def _is_proof(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "same_output"


def _names(tree: ast.AST) -> set[str]:
    """Names used in an expression: ``Name`` and the last part of ``module.Name``."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)
    }


def _made_from(trees: list[ast.Module]) -> dict[str, set[str]]:
    """For each variable, the names in what was assigned to it: ``ours = MyAttention(8)``."""
    made: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assign)):
        for variable in {name for target in node.targets for name in _names(target)}:
            made.setdefault(variable, set()).update(_names(node.value))
    return made


@pytest.mark.parametrize("chapter", all_chapters(ROOT / "chapters"), ids=lambda chapter: chapter.name)
def test_chapter_definitions_are_of_the_three_kinds(chapter):
    complaints = wrong_definitions(code_cells(chapter), modules())
    assert not complaints, "\n".join(complaints)


LIBRARY = '''
import torch

def attention(q: Tensor, k: Tensor) -> Tensor:
    """Weights."""
    require(q.size(-1) == k.size(-1), "k", 1, "more")
    scores = q @ k.T / math.sqrt(q.size(-1))
    return scores.softmax(-1)

class Attention(nn.Module):
    """A module."""
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = attention(x, x)
        return y @ x
'''
SAME = """\
# same as ttlib.nn.attention
def attention(q, k):
    assert q.size(-1) == k.size(-1)
    scores = q @ k.T / math.sqrt(q.size(-1))  # (T, S)
    return scores.softmax(-1)
"""
SIMPLE = """\
# simplified: ttlib.nn.attention.Attention
class Slow(nn.Module):
    def forward(self, x):
        for row in x:
            pass
        return x
"""


@pytest.fixture
def library(tmp_path):
    (tmp_path / "ttlib" / "nn").mkdir(parents=True)
    (tmp_path / "ttlib" / "nn" / "attention.py").write_text(LIBRARY)
    return modules(tmp_path)


@pytest.mark.parametrize(
    "cells",
    [
        [SAME],
        ["import math\n\n" + SAME],
        [SIMPLE, "same_output(Slow(), Attention(), (x,))"],
        [SIMPLE, "ours, x = Slow(), 1\ntheirs = attention.Attention()\nsame_output(ours, theirs, (x,))"],
        ["# only here: draws one picture\ndef draw(x):\n    a = 1\n    b = 2\n    return a + b"],
        ["def short(x):\n    return x"],
        ["def draw(x):  # only here: draws one picture\n    a = 1\n    b = 2\n    return a + b"],
        ["%time x = 1\n" + SAME],
    ],
)
def test_good_cells_pass(cells, library):
    assert wrong_definitions(cells, library) == []


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([SAME.replace("q.size(-1))  #", "k.size(-1))  #")], "+    scores = q @ k.T / math.sqrt(k.size(-1))"),
        ([SAME.replace("def attention", "def weights")], "there is no ttlib.nn.attention"),
        ([SAME.replace("# same as ttlib.nn.attention\n", "")], "needs a heading"),
        ([SAME.replace("# same as ttlib.nn.attention\n", "# same as before\n\n")], "needs a heading"),
        ([SIMPLE], "is not followed by same_output(Slow…, Attention…, inputs)"),
        (["same_output(Slow(), Attention(), (x,))", SIMPLE], "is not followed by same_output"),
        ([SIMPLE, "same_output(Slow(), Slow(), (x,))"], "is not followed by same_output"),
        ([SIMPLE, "same_output(Attention(), Attention(), (x,))"], "is not followed by same_output"),
        (["# only here: because\ndef draw(x):\n    a = 1\n    b = 2\n    return a"], "gives no reason"),
        (["# only here: it is so nice\n" + SAME.split("\n", 1)[1]], "stands in ttlib.nn.attention too"),
        (["if x:\n    def draw(x):\n        a = 1\n        b = 2\n        return a"], "needs a heading"),
        (["# same as ttlib.nn.masks\ndef f(x):\n    return x"], "there is no ttlib.nn.masks"),
    ],
)
def test_bad_cells_are_found(cells, complaint, library):
    assert complaint in "\n".join(wrong_definitions(cells, library))
