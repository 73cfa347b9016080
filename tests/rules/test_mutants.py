"""An equality test must be able to fail: beside it stands a test whose mutants (scale dropped, …) must differ.

``test_SUBJECT_…_equals_REFERENCE`` needs ``test_SUBJECT_mutant…`` in the same file, with an assertion.
"""

import ast
import re
from pathlib import Path

from tools.chapters import ROOT


def unmatched(source: str) -> list[str]:
    """Equality tests of a file without mutants, and mutant tests that assert nothing."""
    tests = {n.name: n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name[:5] == "test_"}
    mutants = [match[1] for match in (re.match(r"(test_\w+?)_mutant", name) for name in tests) if match]
    equal = [name for name in tests if "_equals_" in name]
    missing = [name for name in equal if not any(name.startswith(f"{subject}_") for subject in mutants)]
    empty = [name for name, node in tests.items() if "_mutant" in name and not _asserts(node)]
    return [f"{name} has no mutants" for name in missing] + [f"{name} asserts nothing" for name in empty]


def _asserts(node: ast.FunctionDef) -> bool:
    inner = list(ast.walk(node))
    return any(isinstance(n, ast.Assert) or (isinstance(n, ast.Attribute) and n.attr == "raises") for n in inner)


def test_equality_tests_have_mutants():
    files: list[Path] = sorted((ROOT / "tests" / "ttlib").rglob("test_*.py"))
    assert files
    found = {path.name: unmatched(path.read_text(encoding="utf-8")) for path in files}
    assert {name: complaints for name, complaints in found.items() if complaints} == {}


EQUAL = "def test_norm_with_bias_equals_torch():\n    assert a == b\n"
MUTANT = "def test_norm_mutants_differ():\n    assert a != b\n"


def test_a_pair_passes():
    assert unmatched(EQUAL + MUTANT) == []


def test_a_missing_mutant_is_found():
    assert unmatched(EQUAL) == ["test_norm_with_bias_equals_torch has no mutants"]


def test_a_mutant_of_something_else_does_not_count():
    assert unmatched(EQUAL + MUTANT.replace("norm", "nor")) == ["test_norm_with_bias_equals_torch has no mutants"]


def test_a_mutant_test_without_assertion_is_found():
    assert unmatched(EQUAL + MUTANT.replace("assert a != b", "a != b")) == ["test_norm_mutants_differ asserts nothing"]
