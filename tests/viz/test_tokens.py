"""Boxes of tokens."""

import pytest

from ttlib.errors import InputError
from ttlib.viz import show_tokens


def test_tokens_and_ids_are_shown_and_escaped():
    tokens = show_tokens(["<eos>", "бог"], [2, 17])
    page = tokens._repr_html_()
    assert page.count('role="listitem"') == 2
    assert "&lt;eos&gt;" in page
    assert "бог" in page
    assert ">17</small>" in page
    assert repr(tokens) == "<eos>:2 бог:17"


def test_tokens_without_ids():
    assert repr(show_tokens(["a", "b"])) == "a b"
    assert "<small" not in show_tokens(["a", "b"])._repr_html_()


def test_one_id_per_token():
    with pytest.raises(InputError, match=r"ids: got 1, need one per token \(2\)"):
        show_tokens(["a", "b"], [1])
