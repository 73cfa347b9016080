"""Reads the library and the chapters as syntax trees, and makes two definitions comparable."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.chapters import ROOT, Chapter
from tools.generated import is_generated

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
KINDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Definition:
    """A function or class, where it stands, and its heading: comments just above it or on its first line."""

    node: Node
    where: str
    heading: str = ""

    @property
    def n_lines(self) -> int:
        return (self.node.end_lineno or 0) - self.node.lineno + 1


def modules(folder: Path = ROOT, package: str = "ttlib") -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((folder / package).rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def code_cells(chapter: Chapter) -> list[str]:
    """The sources of a chapter's own code cells."""
    cells = chapter.read_text().cells
    return [cell.source for cell in cells if cell.cell_type == "code" and not is_generated(cell)]


def parse_cell(source: str) -> ast.Module:
    """A cell's tree; lines for IPython (magics) do not count."""
    return ast.parse(re.sub(r"(?m)^[%!].*$", "", source))


def in_cell(source: str, where: str) -> list[Definition]:
    """A cell's definitions, but not those inside others."""
    return [Definition(node, where, _heading(source, node)) for node in _outermost(parse_cell(source))]


def in_file(path: Path, where: str) -> list[Definition]:
    """All functions and classes of a file, those inside others too."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, KINDS)]
    return [Definition(node, f"{where}:{node.lineno}") for node in nodes]


def _outermost(tree: ast.AST) -> Iterator[Node]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, KINDS):
            yield node
        else:
            yield from _outermost(node)


def _heading(source: str, node: Node) -> str:
    lines = source.splitlines()
    last = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
    first = last
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return "\n".join([*lines[first:last], lines[node.lineno - 1]])


def find(dotted: str, name: str, library: dict[str, Path]) -> Node | None:
    """The definition that ``ttlib.x.y`` or ``ttlib.x.y.Name`` means; ``name`` where the last part is a module."""
    module = dotted
    while module not in library:
        if "." not in module:
            return None
        module = module.rpartition(".")[0]
    names = dotted[len(module) + 1 :].split(".") if dotted != module else [name]
    node: ast.AST = ast.parse(library[module].read_text(encoding="utf-8"))
    for part in names:
        inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, KINDS) and child.name == part]
        if not inside:
            return None
        node = inside[0]
    return node


def bare(node: Node, keep_name: bool = True) -> str:
    """The definition without what may differ: docstrings, annotations, comments, assertions and other checks."""
    stripped = _Strip().visit(ast.parse(ast.unparse(node)).body[0])
    if not keep_name:
        stripped.name = "_"
    return ast.unparse(ast.fix_missing_locations(stripped))


class _Strip(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.visit_ClassDef(node)

    def visit_ClassDef(self, node: Node) -> ast.AST:
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.Expr(node.target) if node.value is None else ast.Assign([node.target], node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """``require(…)`` and ``check_…(…)`` are the library's assertions."""
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            called = node.value.func.id
            if called == "require" or called.startswith("check_"):
                return None
        return node
