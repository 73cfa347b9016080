"""Nearest neighbours and the silhouette say what scikit-learn says; mutants do not."""

import pytest
import torch
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from ttlib.errors import InputError
from ttlib.text.separation import cosines, neighbour_accuracy, silhouette

LABELS = ["a"] * 9 + ["b"] * 7 + ["c"] * 5


@pytest.fixture
def vectors() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(3, 32, generator=generator, dtype=torch.float64)
    rows = [centres["abc".index(label)] for label in LABELS]
    return torch.stack(rows) * 0.5 + torch.randn(len(rows), 32, generator=generator, dtype=torch.float64)


def sklearn_accuracy(vectors: torch.Tensor) -> float:
    """Leave-one-out, one fit per vector."""
    right = 0
    for i in range(len(vectors)):
        others = [j for j in range(len(vectors)) if j != i]
        model = KNeighborsClassifier(1, metric="cosine", algorithm="brute")
        model.fit(vectors[others], [LABELS[j] for j in others])
        right += model.predict(vectors[i : i + 1])[0] == LABELS[i]
    return right / len(vectors)


def test_accuracy_equals_sklearn(vectors: torch.Tensor) -> None:
    ours = neighbour_accuracy(vectors, LABELS)
    assert ours == pytest.approx(sklearn_accuracy(vectors), abs=1e-6)
    assert 0.5 < ours < 1


def test_silhouette_equals_sklearn(vectors: torch.Tensor) -> None:
    theirs = silhouette_score(vectors.numpy(), LABELS, metric="cosine")
    assert silhouette(vectors, LABELS) == pytest.approx(theirs, abs=1e-10)


def test_accuracy_mutant_that_counts_itself(vectors: torch.Tensor) -> None:
    with_itself = cosines(vectors).argmax(-1)
    mutant = sum(LABELS[i] == LABELS[int(j)] for i, j in enumerate(with_itself)) / len(LABELS)
    assert mutant == 1 != sklearn_accuracy(vectors)


def test_silhouette_mutants_differ(vectors: torch.Tensor) -> None:
    theirs = silhouette_score(vectors.numpy(), LABELS, metric="cosine")
    assert abs(silhouette_score(vectors.numpy(), LABELS, metric="euclidean") - theirs) > 1e-3  # another distance
    assert abs(silhouette(vectors - vectors.mean(0), LABELS) - theirs) > 1e-3  # centred first
    assert abs(silhouette(vectors, ["b", *LABELS[1:]]) - theirs) > 1e-3  # one label wrong


def test_equal_vectors_tell_nothing() -> None:
    row, labels = torch.randn(50), ["a"] * 4 + ["b"] * 6
    rows = row.expand(10, -1)
    by_chance = (4 * 3 + 6 * 5) / (10 * 9)  # a partner drawn at random has the same label
    assert neighbour_accuracy(rows, labels) == pytest.approx(by_chance, abs=1e-6)
    assert silhouette(rows, labels) == pytest.approx(0, abs=0.02)


def test_perfect_separation_is_one() -> None:
    rows = torch.eye(2).repeat_interleave(3, 0)
    assert neighbour_accuracy(rows, list("aaabbb")) == 1
    assert silhouette(rows, list("aaabbb")) == pytest.approx(1)
    assert neighbour_accuracy(rows, list("ababab")) == pytest.approx(1 / 3)


@pytest.mark.parametrize("measure", [neighbour_accuracy, silhouette])
def test_wrong_number_of_labels(measure) -> None:
    with pytest.raises(InputError, match="labels: got 2, need one per vector"):
        measure(torch.randn(3, 4), ["a", "b"])


def test_too_few_vectors() -> None:
    with pytest.raises(InputError, match="at least two"):
        neighbour_accuracy(torch.randn(1, 4), ["a"])


@pytest.mark.parametrize("labels", [["a", "a", "a"], ["a", "a", "b"]])
def test_silhouette_needs_two_of_two(labels: list[str]) -> None:
    with pytest.raises(InputError, match="two or more, each at least twice"):
        silhouette(torch.randn(3, 4), labels)
