"""Files, functions and lists of parameters stay short enough to be read in one go."""

import ast
from pathlib import Path

from tests.rules.source import KINDS, Definition, in_file, modules

FILE_LINES = 250
FUNCTION_LINES = 40
PARAMETERS = 7
# Exceptions, each with its reason: {"ttlib.module.name": "why"}.
ALLOWED: dict[str, str] = {}


def too_big(module: str, path: Path, allowed: dict[str, str]) -> list[str]:
    """What of a file is too long."""
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    complaints = {module: f"{n_lines} lines, need fewer than {FILE_LINES}"} if n_lines >= FILE_LINES else {}
    for definition in in_file(path, module):
        if isinstance(definition.node, KINDS[:2]):
            complaints |= _too_big_function(f"{module}.{definition.node.name}", definition)
    return [f"{name}: {complaint}" for name, complaint in complaints.items() if name not in allowed]


def _too_big_function(name: str, definition: Definition) -> dict[str, str]:
    arguments: ast.arguments = definition.node.args
    names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    count = len([name for name in names if name not in ("self", "cls")])
    if definition.n_lines >= FUNCTION_LINES:
        return {name: f"{definition.n_lines} lines, need fewer than {FUNCTION_LINES}"}
    return {name: f"{count} parameters, need at most {PARAMETERS}"} if count > PARAMETERS else {}


def test_the_library_is_small():
    complaints = [line for module, path in modules().items() for line in too_big(module, path, ALLOWED)]
    assert not complaints, "\n".join(complaints)


def test_every_exception_has_a_reason():
    assert all(len(reason.split()) > 3 for reason in ALLOWED.values())


def test_big_ones_are_found(tmp_path):
    path = tmp_path / "big.py"
    long, good = ("def {}():\n" + "    pass\n" * n for n in (39, 38))
    wide = "def wide(a, b, c, d, e, f, g, *, h):\n    pass\n"
    method = "class Good:\n    def method(self, a, b, c, d, e, f, g):\n        pass\n"
    path.write_text(long.format("long") + good.format("good") + wide + method + "x = 1\n" * 166)
    assert too_big("big", path, {}) == [
        "big: 250 lines, need fewer than 250",
        "big.long: 40 lines, need fewer than 40",
        "big.wide: 8 parameters, need at most 7",
    ]
    assert too_big("big", path, {"big": "", "big.long": "", "big.wide": ""}) == []
