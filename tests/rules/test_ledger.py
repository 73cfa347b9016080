"""The ledger is true: every line that it quotes stands where it says, runs, and gives the shape that it says."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, GeneratorType
from typing import Any

import pytest
import torch
from torch import nn

from tests.rules.source import find, modules
from tools.chapters import ROOT
from ttlib.models.config import EncoderConfig
from ttlib.models.encoder import Encoder
from ttlib.nn import masks
from ttlib.nn.blocks import PostNorm, PreNorm
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.norms import LayerNorm, layer_norm
from ttlib.nn.self_attention import SelfAttention

SIZES = {"B": 2, "T": 5, "D": 12, "H": 3, "K": 4, "F": 20, "V": 17, "L": 9, "N": 2, "1": 1}  # no two alike but N, B
CONFIG = EncoderConfig(vocab_size=17, d_model=12, n_heads=3, d_ff=20, n_layers=2, dropout=0.0, max_len=9)
ROW = re.compile(
    r"^\| (?P<symbol>.+?) \| `\((?P<shape>[^)]*)\)` \| `(?P<line>[^`]+)` \| `(?P<path>[^`:]+)(: (?P<name>\w+))?` \|$"
)


@dataclass(frozen=True)
class Row:
    """A row of the ledger, and the section that it stands in."""

    section: str
    symbol: str
    shape: tuple[str, ...]
    line: str
    path: str
    name: str = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(SIZES[letter] for letter in self.shape)


def rows(page: str) -> list[Row]:
    """All rows of the ledger's tables. A row that cannot be read is an error."""
    found, section = [], ""
    for text in page.splitlines():
        if text.startswith("## "):
            section = text[3:].split(":")[0]
        elif text.startswith("| ") and not text.startswith("| symbol |"):
            match = ROW.match(text)
            assert match, f"not a row of the ledger: {text}"
            shape = tuple(letter.strip() for letter in match["shape"].split(",") if letter.strip())
            found.append(Row(section, match["symbol"], shape, match["line"], match["path"], match["name"] or ""))
    return found


LEDGER = rows((ROOT / "chapters" / "ledger.md").read_text(encoding="utf-8"))


def place(row: Row) -> tuple[int, ast.expr]:
    """The number of the file's line that the row quotes, and the expression that the line computes.

    Raises:
        AssertionError: there is no such definition, or no such expression or statement in it.
    """
    if row.name:
        dotted = row.path.removesuffix(".py").replace("/", ".")
        node = find(f"{dotted}.{row.name}", row.name, modules())
        assert node is not None, f"{row.symbol}: there is no {row.name} in {row.path}"
    else:
        cells = re.findall(r"^```\{code-cell\}\n(.*?)^```", (ROOT / row.path).read_text(encoding="utf-8"), re.M | re.S)
        node = next((tree for tree in map(_tree, cells) if _inside(tree, row.line)), ast.Module([], []))
    found = _inside(node, row.line)
    assert found, f"{row.symbol}: {row.path} {row.name} has no line {row.line!r}"
    return found[0]


def _tree(cell: str) -> ast.AST:
    return ast.parse(re.sub(r"(?m)^(:tags:.*|---.*)$", "", cell) if not cell.startswith("---") else "")


def _inside(node: ast.AST, line: str) -> list[tuple[int, ast.expr]]:
    """Where the quoted statement or expression stands in a tree: exactly it, not something that contains its text."""
    quoted = ast.parse(line).body[0]
    wanted = ast.dump(quoted.value if isinstance(quoted, ast.Expr) else quoted)
    return [
        (child.lineno, child.value if isinstance(child, ast.Assign) else child)
        for child in ast.walk(node)
        if isinstance(child, (ast.Assign, ast.expr)) and ast.dump(child) == wanted
    ]


def watch(run: Callable[[], object], row: Row) -> list[list[tuple[int, ...]]]:
    """Run something; whenever it comes to the row's line, compute the row's expression there and note its shapes."""
    number, expression = place(row)
    path, code = str(ROOT / row.path), compile(ast.Expression(expression), row.path, "eval")
    seen: list[list[tuple[int, ...]]] = []

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and frame.f_lineno == number:
            sys.settrace(None)
            try:
                seen.append(shapes(eval(code, {**frame.f_globals, **frame.f_locals})))
            finally:
                sys.settrace(trace)
        return local

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        inner = frame.f_code.co_name in ("<genexpr>", "<lambda>")  # has its own variables only
        return local if frame.f_code.co_filename == path and not inner else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen


def shapes(value: object) -> list[tuple[int, ...]]:
    """The shapes of a tensor, of several, or of a linear layer's W as formulas have it."""
    if isinstance(value, nn.Linear):
        return [tuple(value.weight.T.shape)]
    if isinstance(value, (tuple, GeneratorType)):
        return [shape for part in value for shape in shapes(part)]
    assert isinstance(value, torch.Tensor), f"a {type(value).__name__} has no shape"
    return [tuple(value.shape)]


def ids() -> torch.Tensor:
    return torch.randint(1, SIZES["V"], (SIZES["B"], SIZES["T"]))


def x() -> torch.Tensor:
    return torch.randn(SIZES["B"], SIZES["T"], SIZES["D"])


def mask() -> torch.Tensor:
    return masks.padding(ids(), 0)


def version_4() -> None:
    attention, tokens = MultiHeadAttention(12, 3), x()
    attention(tokens, tokens, mask())
    attention.weights(tokens, tokens, mask())


def version_5() -> None:
    norm, tokens = LayerNorm(12), x()
    norm(tokens)
    layer_norm(tokens, norm.weight, norm.bias)
    attention = MultiHeadAttention(12, 3)
    for residual in (PreNorm, PostNorm):
        residual(12, 0.0)(tokens, lambda y: attention(y, y))


def version_6() -> None:
    Encoder(CONFIG)(ids(), mask())


RUNS: dict[str, Callable[[], object]] = {
    "Before version 1": version_6,
    "Version 2": lambda: SelfAttention(12, 4)(x()),
    "Versions 3 and 4": version_4,
    "Version 5": version_5,
    "Version 6": version_6,
}


def wrong(row: Row) -> str:
    """What is wrong with a row of ttlib's code; empty if nothing is."""
    try:
        seen = watch(RUNS[row.section], row)
    except AssertionError as error:
        return str(error)
    if not seen:
        return f"{row.symbol}: {row.line!r} never runs in {row.section}"
    found = {shape for shapes_ in seen for shape in shapes_}
    return "" if found == {row.sizes} else f"{row.symbol}: {row.line!r} gives {found}, not {row.sizes} = {row.shape}"


IN_TTLIB = [row for row in LEDGER if row.name]


@pytest.mark.parametrize("row", IN_TTLIB, ids=lambda row: f"{row.section}: {row.symbol}")
def test_every_line_of_ttlib_stands_there_and_gives_its_shape(row: Row) -> None:
    assert wrong(row) == ""


def test_version_1_runs_line_by_line() -> None:
    space: dict[str, Any] = {"x": torch.randn(SIZES["T"], SIZES["D"])}
    chapter_only = [row for row in LEDGER if not row.name]
    assert [row.section for row in chapter_only] == ["Version 1"] * 3
    for row in chapter_only:
        place(row)
        exec(row.line, space)
        assert tuple(space[row.line.split()[0]].shape) == row.sizes, row.symbol


def test_every_symbol_of_the_lectures_has_a_row() -> None:
    told = {
        section: " ".join(row.symbol for row in LEDGER if row.section == section)
        for section in {r.section for r in LEDGER}
    }
    wanted = {
        "Before version 1": ["$x$"],
        "Version 1": ["scores", "weights", "output"],
        "Version 2": ["$W_Q$", "$W_K$", "$W_V$", "$q$", "$k$", "$v$", "scores", "\\alpha", "output"],
        "Versions 3 and 4": ["$W_O$", "$q$", "scores", "\\alpha", "heads", "concatenated", "output"],
        "Version 5": ["x + F(x)", "LayerNorm", "$a$", "$b$", "mean", "std"],
        "Version 6": ["$W_1$", "$W_2$", "FFN", "positions", "N blocks", "output"],
    }
    missing = {name: [symbol for symbol in symbols if symbol not in told[name]] for name, symbols in wanted.items()}
    assert not any(missing.values()), missing
    assert told.keys() == wanted.keys()


def test_n_blocks_are_n() -> None:
    row = next(row for row in LEDGER if row.line == "x = block(x, mask)")
    assert len(watch(version_6, row)) == SIZES["N"]


def changed_shapes(row: Row) -> Iterator[Row]:
    """The row with an axis that is another one, or one less."""
    yield replace(row, shape=row.shape[1:])
    for i, letter in enumerate(row.shape):
        other = next(o for o in SIZES if SIZES[o] != SIZES[letter])
        yield replace(row, shape=(*row.shape[:i], other, *row.shape[i + 1 :]))


@pytest.mark.parametrize("row", IN_TTLIB, ids=lambda row: f"{row.section}: {row.symbol}")
def test_mutants_of_a_shape_are_noticed(row: Row) -> None:
    for mutant in changed_shapes(row):
        assert "gives" in wrong(mutant)


SCORES = next(row for row in LEDGER if row.section == "Version 2" and row.line.startswith("scores ="))
MUTANTS = {
    "another factor": replace(SCORES, line="scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-2))"),
    "half a line": replace(SCORES, line="scores = q @ k.transpose(-2, -1)"),
    "another name": replace(SCORES, line="score = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))"),
    "another function": replace(SCORES, name="attention"),
    "no such function": replace(SCORES, name="no_such_function"),
    "another file": replace(SCORES, path="ttlib/nn/masks.py"),
}


@pytest.mark.parametrize("kind", MUTANTS)
def test_mutants_of_a_line_are_noticed(kind: str) -> None:
    assert re.search("has no line|there is no", wrong(MUTANTS[kind]))
    assert wrong(SCORES) == ""


def test_a_line_that_does_not_run_is_noticed() -> None:
    feed_forward = next(row for row in LEDGER if row.symbol == "$W_1$")
    assert wrong(replace(feed_forward, section="Version 2")).endswith("never runs in Version 2")


def test_a_row_of_another_form_is_noticed() -> None:
    with pytest.raises(AssertionError, match="not a row of the ledger"):
        rows("| $x$ | (B, T) | x = 1 | ttlib/nn/masks.py |")


def test_a_line_of_a_chapter_must_be_code_of_a_cell(tmp_path: Path) -> None:
    row = next(row for row in LEDGER if row.section == "Version 1")
    with pytest.raises(AssertionError, match="has no line 'scores = x @ y.T'"):
        place(replace(row, line="scores = x @ y.T"))
