"""Repeated runs: the median is drawn, the range is told."""

import re

import pytest

from ttlib.errors import InputError
from ttlib.viz import spread

RUNS = {"plain": ([2, 8], [[1.0, 9.0, 2.0], [0.5, 0.25, 0.125]]), "residual": ([2, 8], [[3.0], [4.0]])}


def test_the_text_has_median_and_range() -> None:
    told = repr(spread(RUNS, x="layers", y="gradient", levels={"best": 7}, title="Depth"))
    assert told == (
        "Depth: line chart of gradient against layers, median and range over the seeds. "
        "plain: from 2 (1 to 9) at 2 to 0.25 (0.125 to 0.5) at 8; residual: from 3 (3 to 3) at 2 to 4 (4 to 4) at 8; "
        "dotted level best: 7."
    )


def test_the_text_says_what_the_range_is_over() -> None:
    assert "median and range over the words." in repr(spread(RUNS, x="layers", y="gradient", over="words"))


def test_the_band_follows_the_runs() -> None:
    def shapes(runs: list[list[float]]) -> list[str]:
        return re.findall(r' d="([^"]+)"', spread({"a": ([1, 2], runs)}, x="x", y="y")._repr_html_())

    narrow, wide = shapes([[1, 2, 3], [1, 2, 3]]), shapes([[0, 2, 4], [1, 2, 3]])
    assert narrow != wide
    assert narrow == shapes([[3, 2, 1], [2, 1, 3]])


def test_axes_are_logarithmic_where_asked() -> None:
    pages = {log: spread(RUNS, x="x", y="y", log=log)._repr_html_() for log in ("", "x", "y", "xy")}
    assert len(set(pages.values())) == 4


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "series: got 0, need 1 to 4 lines"),
        (dict.fromkeys("abcde", ([1], [[1]])), "series: got 5"),
        ({"a": ([1, 2], [[1]])}, r"series 'a': got \(2, 1\), need one group of runs per x"),
    ],
)
def test_bad_series_are_refused(series: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spread(series, x="x", y="y")
