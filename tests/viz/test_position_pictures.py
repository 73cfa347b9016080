"""Tables of positions and turning pairs: the text says what is drawn, and other data make another picture."""

import math

import pytest
import torch

from ttlib.errors import InputError
from ttlib.nn.positions import sinusoids
from ttlib.nn.rope import rope_angles, rotate_pairs
from ttlib.viz import table_map, turning_pairs


def turned(length: int = 5, width: int = 4, base: float = 100.0) -> torch.Tensor:
    x = torch.tensor([1.0, 0.0]).repeat(width // 2).expand(1, 1, length, width)
    return rotate_pairs(x, rope_angles(length, width, base=base))[0, 0]


def test_a_table_is_told_in_words() -> None:
    told = repr(table_map(torch.tensor([[-2.0, 1.0], [0.5, 0.0]]), x="number", y="position", title="Waves"))
    assert told == "Colour map “Waves”, 2 rows (position) by 2 columns (number), from -2 to 2."
    assert repr(table_map(torch.zeros(2, 3), x="x", y="y", alt="Nothing.")) == "Nothing."


def test_another_table_is_another_picture() -> None:
    pages = {table_map(table, x="x", y="y")._repr_html_() for table in (sinusoids(9, 8), sinusoids(9, 8).roll(1, 0))}
    assert len(pages) == 2
    assert all("<image" in page for page in pages)


def test_names_and_numbers_are_written() -> None:
    table = torch.tensor([[0.37, -0.81], [0.0, 2.43]])
    page = table_map(table, x="x", y="y", names=(("dog", "man"), ("bites", "sleeps")))._repr_html_()
    assert all(f">{word}<" in page for word in ("dog", "man", "bites", "sleeps", "0.37", "-0.81", "2.43"))
    assert ">0.37<" not in table_map(table, x="x", y="y")._repr_html_()


def test_turns_are_told_per_pair() -> None:
    told = repr(turning_pairs(turned(), title="RoPE"))
    assert told == (
        "RoPE: circles with an arrow for each of 5 positions: "
        "pair 1 turns by 1 radians per position; pair 2 turns by 0.1 radians per position."
    )


def test_a_turn_the_other_way_is_negative() -> None:
    back = turned() * torch.tensor([1, -1, 1, -1])
    assert "pair 1 turns by -1 radians" in repr(turning_pairs(back))
    assert turning_pairs(back)._repr_html_() != turning_pairs(turned())._repr_html_()


def test_lengths_do_not_matter_only_their_proportion() -> None:
    assert turning_pairs(turned())._repr_html_() == turning_pairs(4 * turned())._repr_html_()
    assert f"{math.pi:.3g}" not in repr(turning_pairs(turned()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table_map(torch.zeros(3), x="x", y="y"), r"values: got \(3,\), need two axes"),
        (lambda: table_map(torch.zeros(0, 3), x="x", y="y"), r"values: got \(0, 3\), need two axes"),
        (
            lambda: table_map(torch.zeros(2, 3), x="x", y="y", names=("ab", "cd")),
            r"values: got \(2, 3\), need \(2, 2\): as many as there are names",
        ),
        (lambda: turning_pairs(torch.zeros(3, 5)), r"turned: got \(3, 5\), need 1 to 4 pairs of columns"),
        (lambda: turning_pairs(torch.zeros(3, 10)), r"turned: got \(3, 10\), need 1 to 4 pairs"),
        (lambda: turning_pairs(torch.zeros(1, 4)), r"turned: got \(1, 4\), need at least two positions"),
    ],
)
def test_bad_input(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
