"""No definition stands twice: not in two chapters, not in two places of ttlib."""

from collections import defaultdict
from collections.abc import Iterable

from tests.rules.source import Definition, bare, code_cells, in_cell, in_file, modules
from tools.chapters import ROOT, all_chapters

CHAPTER_LINES = 12  # a longer definition belongs into one chapter only
LIBRARY_LINES = 5


def repeated(definitions: Iterable[Definition], longer_than: int, by_name: bool) -> list[str]:
    """Definitions that stand in two places, by what they do or also by what they are called."""
    places: dict[str, set[str]] = defaultdict(set)
    for definition in definitions:
        code = bare(definition.node, keep_name=False)
        if max(len(code.splitlines()), definition.n_lines if by_name else 0) > longer_than:
            places[code].add(f"{definition.node.name} in {definition.where}")
            if by_name:
                places[definition.node.name].add(f"{definition.node.name} in {definition.where}")
    return sorted({" = ".join(sorted(where)) for where in places.values() if len(where) > 1})


def chapter_definitions() -> Iterable[Definition]:
    for chapter in all_chapters(ROOT / "chapters"):
        for source in code_cells(chapter):
            yield from in_cell(source, chapter.name)


def library_definitions() -> Iterable[Definition]:
    for module, path in modules().items():
        yield from in_file(path, module)


def test_no_long_definition_stands_in_two_chapters():
    found = repeated(chapter_definitions(), CHAPTER_LINES, by_name=True)
    assert not found, "\n".join(found)


def test_no_definition_stands_twice_in_the_library():
    found = repeated(library_definitions(), LIBRARY_LINES, by_name=False)
    assert not found, "\n".join(found)


def function(name: str, n_lines: int, note: str = "") -> str:
    body = "".join(f"    x = x + {i}\n" for i in range(n_lines - 2))
    return f"def {name}(x):\n{note}{body}    return x\n"


def both(first: str, second: str) -> list[Definition]:
    return in_cell(first, "05_a") + in_cell(second, "06_b")


def test_the_same_code_in_two_chapters_is_found():
    twins = both(function("f", 13), function("g", 13, note='    """Another comment."""\n'))
    assert repeated(twins, 12, by_name=True) == ["f in 05_a = g in 06_b"]


def test_a_drifted_copy_of_the_same_name_is_found():
    assert repeated(both(function("f", 13), function("f", 14)), 12, by_name=True) == ["f in 05_a = f in 06_b"]


def test_short_definitions_may_stand_in_two_chapters():
    assert repeated(both(function("f", 12), function("f", 12)), 12, by_name=True) == []


def test_a_copy_in_the_library_is_found(tmp_path):
    (tmp_path / "a.py").write_text("class A:\n" + "".join(f"    {x}\n" for x in function("f", 6).splitlines()))
    (tmp_path / "b.py").write_text(function("g", 6) + function("h", 5))
    found = in_file(tmp_path / "a.py", "a") + in_file(tmp_path / "b.py", "b")
    assert repeated(found, 5, by_name=False) == ["f in a:2 = g in b:1"]
