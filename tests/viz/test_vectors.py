"""A map of words: the plane is that of the principal components, and the picture tells what it shows."""

import pytest
import torch

from ttlib.errors import InputError
from ttlib.viz import principal_plane, word_map

WORDS = ["man", "woman", "king"]
POINTS = torch.tensor([[0.0, 0.0], [2.0, 1.0], [1.0, 3.0]])


def test_the_plane_is_sklearns():
    from sklearn.decomposition import PCA

    vectors = torch.randn(20, 6, dtype=torch.float64) * torch.tensor([5.0, 3, 1, 1, 1, 1])
    points, share = principal_plane(vectors)
    theirs = PCA(2).fit(vectors.numpy())
    expected = torch.from_numpy(theirs.transform(vectors.numpy()))
    torch.testing.assert_close(points.abs(), expected.abs(), rtol=0, atol=1e-10)  # a direction may be turned round
    assert share == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_what_lies_in_a_plane_is_kept_whole():
    points, share = principal_plane(torch.cat([POINTS, torch.ones(3, 4)], 1))
    assert share == pytest.approx(1)
    torch.testing.assert_close(torch.cdist(points, points), torch.cdist(POINTS, POINTS))


def test_the_picture_tells_places_groups_and_arrows():
    picture = word_map(WORDS, POINTS, groups=[["man", "woman"], ["king"]], arrows=[("man", "king")], title="Kings")
    assert picture.alt == (
        "Kings: 3 words, from left to right man, king, woman. Groups: man, woman; king. Arrows: man to king."
    )
    assert all(f">{word}</text>" in picture.svgs[0] for word in WORDS)
    assert word_map(WORDS, POINTS).alt == "Map: 3 words, from left to right man, king, woman."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: principal_plane(POINTS[:2]), r"vectors: got \(2, 2\), need at least 3 of 2 numbers"),
        (lambda: word_map(WORDS[:2], POINTS), r"points: got 3, need one per word \(2\)"),
        (lambda: word_map(WORDS, POINTS, groups=[["man"]] * 5), "groups: got 5, need at most 4"),
        (lambda: word_map(WORDS, POINTS, arrows=[("man", "queen")]), "word: got 'queen', need one of the words"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
