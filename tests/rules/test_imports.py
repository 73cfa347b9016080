"""Imports in ttlib go one way, and importing it fetches nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.source import modules
from tools.chapters import ROOT

# Each may import those before it and its own.
LAYERS = (
    {"errors", "shapes", "runtime", "check", "viz", ""},  # "" is ttlib/__init__.py, which holds the version
    {"text"},
    {"nn"},
    {"models"},
    {"data"},
    {"generate"},
    {"train"},
    {"pretrained"},
    {"presets", "__main__"},
)


def layer(module: str) -> int:
    """The layer of ``ttlib.x.y`` is that of ``x``."""
    part = module.split(".")[1] if "." in module else ""
    (place,) = [place for place, parts in enumerate(LAYERS) if part in parts] or [-1]
    assert place >= 0, f"{module}: add {part!r} to LAYERS"
    return place


def imported(path: Path, library: dict[str, Path]) -> set[str]:
    """The library's modules that a file imports, at the top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {_submodule(node.module, alias.name, library) for alias in node.names}
    return names & set(library)


def _submodule(module: str, name: str, library: dict[str, Path]) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in library else module


def upward(library: dict[str, Path]) -> list[str]:
    """Imports from a later layer."""
    pairs = [(module, other) for module, path in library.items() for other in imported(path, library)]
    return [f"{module} imports {other}" for module, other in pairs if layer(other) > layer(module)]


def cycles(library: dict[str, Path]) -> list[str]:
    """Files that import themselves by way of others."""
    graph = {module: imported(path, library) - {module} for module, path in library.items()}

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += graph[module]
        return seen

    return [module for module in graph if module in reachable(module)]


def test_imports_go_one_way():
    found = upward(modules())
    assert not found, "\n".join(found)


def test_no_file_imports_itself_by_way_of_others():
    assert cycles(modules()) == []


@pytest.fixture
def bad_library(tmp_path):
    (tmp_path / "ttlib" / "nn").mkdir(parents=True)
    (tmp_path / "ttlib" / "models").mkdir()
    files = {
        "__init__.py": "",
        "nn/__init__.py": "",
        "models/__init__.py": "",
        "nn/masks.py": "def late():\n    from ttlib.models import encoder",
        "models/encoder.py": "from ttlib.models.decoder import Decoder",
        "models/decoder.py": "import ttlib.models.encoder\nimport ttlib.nn",
    }
    for name, source in files.items():
        (tmp_path / "ttlib" / name).write_text(source)
    return modules(tmp_path)


def test_an_import_upwards_is_found(bad_library):
    assert upward(bad_library) == ["ttlib.nn.masks imports ttlib.models.encoder"]


def test_a_cycle_is_found(bad_library):
    assert cycles(bad_library) == ["ttlib.models.decoder", "ttlib.models.encoder"]


WATCH = """
import importlib, sys, torch, matplotlib.pyplot, numpy, tokenizers, safetensors.torch, sacrebleu, IPython.display
def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "urllib.Request"):
        raise RuntimeError(f"importing ttlib does {event} {args}")
sys.addaudithook(refuse)
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def import_watched(names: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Import modules in a fresh Python in which starting a program or opening a connection is an error."""
    command = [sys.executable, "-c", WATCH, *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_importing_fetches_nothing_and_starts_nothing():
    names = [name for name in modules() if not name.endswith("__main__")]
    done = import_watched(names, ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "socket."),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-V'])", "subprocess.Popen"),
    ],
)
def test_a_module_that_fetches_when_imported_is_found(tmp_path, source, event):
    (tmp_path / "greedy.py").write_text(source)
    done = import_watched(["greedy"], tmp_path)
    assert done.returncode == 1
    assert f"importing ttlib does {event}" in done.stderr
