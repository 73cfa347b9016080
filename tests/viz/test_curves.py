"""Curves: exponents, texts, clear refusals."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttlib.errors import InputError
from ttlib.viz import lines, loss_curve, slope, training_curve

HISTORY = [{"step": 10, "loss": 6.5, "lr": 0.001}, {"step": 20, "loss": 4.25, "lr": 0.0005}]


@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_the_slope_is_the_exponent(power, factor):
    xs = [1, 2, 5, 10]
    assert slope(xs, [factor * x**power for x in xs]) == pytest.approx(power, abs=1e-9)


def test_the_slope_is_a_fit():
    assert slope([1, 10, 100], [1, 100, 1000]) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("xs", "ys", "message"),
    [
        ([1], [1], "xs: got 1, need as many as ys .1., at least two"),
        ([1, 2], [1], "xs: got 2"),
        ([1, 2], [1, 0], "ys: got 0, need positive numbers"),
    ],
)
def test_bad_points_are_refused(xs, ys, message):
    with pytest.raises(InputError, match=message):
        slope(xs, ys)


def test_the_text_says_where_each_line_begins_and_ends():
    picture = lines({"raw": ([4, 8], [2.5, 0.1]), "scaled": ([4, 8], [3, 3])}, x="d", y="entropy", levels={"most": 3.5})
    assert repr(picture) == (
        "Line chart of entropy against d. raw: from 2.5 at 4 to 0.1 at 8; scaled: from 3 at 4 to 3 at 8; "
        "dotted level most: 3.5."
    )
    assert all(word in picture._repr_html_() for word in ("raw", "scaled", "most", "entropy"))


def test_axes_are_logarithmic_where_asked():
    points = {"a": ([1, 10, 100], [1, 10, 100])}
    pages = {log: lines(points, x="x", y="y", log=log)._repr_html_() for log in ("", "x", "y", "xy")}
    assert len(set(pages.values())) == 4


def test_lines_can_be_told_apart_without_colours():
    page = lines({name: ([1, 2], [1, 2]) for name in "abcd"}, x="x", y="y")._repr_html_()
    assert page.count("stroke-dasharray") >= 3


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "series: got 0, need 1 to 4 lines"),
        ({name: ([1], [1]) for name in "abcde"}, "series: got 5, need 1 to 4 lines"),
        ({"a": ([1, 2], [1])}, r"series 'a': got \(2, 1\), need as many x as y"),
        ({"a": ([], [])}, r"series 'a': got \(0, 0\)"),
    ],
)
def test_bad_series_are_refused(series, message):
    with pytest.raises(InputError, match=message):
        lines(series, x="x", y="y")


def test_a_history_is_drawn():
    assert "from 6.5 at 10 to 4.25 at 20" in repr(loss_curve(HISTORY))
    assert "learning rate: from 0.001 at 10 to 0.0005 at 20" in repr(training_curve(HISTORY))
    with pytest.raises(InputError, match=r"history: got \[\], need at least one record with step and loss"):
        loss_curve([])


def test_logarithmic_axes_have_plain_numbers():
    page = lines({"a": ([128, 4096], [0.2, 9])}, x="x", y="y", log="xy")._repr_html_()
    shown = set(re.findall(r">\s*([\d.]+)\s*</text>", page))
    assert {"128", "4096", "0.5", "1", "5"} <= shown
    assert "10^" not in page


@pytest.mark.parametrize("steps", [9000, 12000, 16000, 20000])
def test_the_numbers_of_steps_stand_apart(steps):
    page = lines({"loss": ([50, steps], [9, 4])}, x="step", y="loss")._repr_html_()
    labels = re.findall(r'middle; [^>]* x="([\d.]+)" y="[\d.]+" transform="rotate\(-0 [^>]*>(\d+)</text>', page)
    assert len(labels) >= 4
    for (x, _), (after, number) in pairwise(labels):
        assert float(after) - float(x) > 1.1 * 6.4 * len(number)  # a digit is 6.4 wide
