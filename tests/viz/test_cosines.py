"""The map of cosines: groups named once, and its text alternative with the means."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import cosine_map

VALUES = torch.tensor([[1.0, 0.8, 0.1], [0.8, 1.0, 0.3], [0.1, 0.3, 1.0]])


def test_alt_text_gives_mean_cosines_without_the_diagonal() -> None:
    alt = cosine_map(VALUES, ["a", "a", "b"], title="rest").alt
    assert alt == ("rest: map of the cosines of 3 vectors in 2 groups. Mean cosine: a with a 0.80; a with b 0.20.")


def test_groups_are_named_once() -> None:
    svg = cosine_map(VALUES, ["gift", "gift", "offer"])._repr_html_()
    assert "gift" in svg
    assert "offer" in svg


@pytest.mark.parametrize("groups", [["a", "b"], ["a", "b", "a"]])
def test_bad_groups(groups: list[str]) -> None:
    with pytest.raises(InputError, match=r"values: got|groups: got"):
        cosine_map(VALUES, groups)
