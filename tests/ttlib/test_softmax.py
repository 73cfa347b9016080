"""The cheaper softmaxes: torch's own, a brute-force tree, and distributions that sum to one."""

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ttlib.errors import InputError
from ttlib.nn.softmax import AdaptiveSoftmax, FullSoftmax, HierarchicalSoftmax, huffman_tree

D, CUTOFFS = 32, (5, 11, 23)
COUNTS = [90, 40, 40, 20, 9, 9, 9, 5, 3, 2, 1, 1, 0]


def large(layer: nn.Module) -> nn.Module:
    """In float64, with weights of standard deviation 0.3."""
    layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64) * 0.3)
    return layer


def states(n: int, d: int = D) -> torch.Tensor:
    return torch.randn(n, d, dtype=torch.float64)


def torchs(ours: AdaptiveSoftmax, shrink: float = 4.0, cutoffs: tuple[int, ...] = CUTOFFS) -> nn.Module:
    theirs = nn.AdaptiveLogSoftmaxWithLoss(D, cutoffs[-1], list(cutoffs[:-1]), div_value=shrink).double()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return theirs


def assert_adaptive_is_torchs(change: Callable[[AdaptiveSoftmax], object] = lambda ours: None) -> None:
    """Every word as a target, values and gradients; ``change`` breaks ours after its weights are copied."""
    ours = large(AdaptiveSoftmax(D, CUTOFFS))
    theirs = torchs(ours)
    change(ours)
    x, targets = states(2 * CUTOFFS[-1]).requires_grad_(), torch.arange(CUTOFFS[-1]).repeat(2)
    found = []
    for logp in (ours(x, targets), theirs(x, targets).output):
        found.append((logp, torch.autograd.grad(logp.square().sum(), x)[0]))
    found[0] += (ours.log_probs(x),)
    found[1] += (theirs.log_prob(x),)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_adaptive_equals_torch() -> None:
    assert_adaptive_is_torchs()


def swap_clusters(ours: AdaptiveSoftmax) -> None:
    """The head's entries of the two clusters change places."""
    weight = ours.head.weight.data
    weight[[5, 6]] = weight[[6, 5]]


def lose_the_head(ours: AdaptiveSoftmax) -> None:
    """log p(w | cluster) alone, without log p(cluster)."""
    ours.head.weight.data[5:] = 0


def shift_words(ours: AdaptiveSoftmax) -> None:
    """Each word of the last cluster is taken for its neighbour."""
    ours.tail[1][1].weight.data = ours.tail[1][1].weight.data.roll(1, 0)


def other_cutoff(ours: AdaptiveSoftmax) -> None:
    """A word of the head is looked for in the first cluster."""
    ours.cutoffs = (4, *CUTOFFS[1:])


@pytest.mark.parametrize("change", [swap_clusters, lose_the_head, shift_words, other_cutoff])
def test_adaptive_mutants_differ(change: Callable[[AdaptiveSoftmax], object]) -> None:
    with pytest.raises((AssertionError, IndexError, RuntimeError)):
        assert_adaptive_is_torchs(change)


def test_adaptive_with_one_cluster_and_another_width() -> None:
    ours = large(AdaptiveSoftmax(D, (7, 20), shrink=2))
    x, targets = states(20), torch.arange(20)
    expected = torchs(ours, 2.0, (7, 20))(x, targets).output
    torch.testing.assert_close(ours(x, targets), expected, rtol=0, atol=1e-10)


def layers() -> list[nn.Module]:
    n = len(COUNTS)
    return [large(FullSoftmax(D, n)), large(AdaptiveSoftmax(D, (4, 9, n))), large(HierarchicalSoftmax(D, COUNTS))]


def test_full_equals_torch() -> None:
    layer, x, targets = layers()[0], states(13), torch.arange(13)
    loss = nn.functional.cross_entropy(x @ layer.weight.T, targets)
    torch.testing.assert_close(-layer(x, targets).mean(), loss, rtol=0, atol=1e-10)


def test_full_mutant_differs() -> None:
    layer, x = layers()[0], states(13)
    assert (layer(x, torch.arange(13)) - layer(x, torch.arange(13).flip(0))).abs().max() > 0.1


@pytest.mark.parametrize("number", range(3), ids=["full", "adaptive", "hierarchical"])
def test_one_word_is_read_from_a_distribution_that_sums_to_one(number: int) -> None:
    layer, x, n = layers()[number], states(13), len(COUNTS)
    logp = layer.log_probs(x)
    assert logp.shape == (13, n)
    torch.testing.assert_close(logp.exp().sum(1), torch.ones(13, dtype=torch.float64), rtol=0, atol=1e-12)
    for targets in (torch.arange(n), torch.arange(n).flip(0), torch.full((n,), n - 1)):
        torch.testing.assert_close(layer(x, targets), logp.gather(1, targets[:, None])[:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("number", range(3), ids=["full", "adaptive", "hierarchical"])
def test_gradients(number: int) -> None:
    layer, x = layers()[number], states(4).requires_grad_()
    targets = torch.tensor([0, 5, 12, 5])
    assert torch.autograd.gradcheck(lambda x, *_: layer(x, targets), (x, *layer.parameters()))
    layer(x, targets).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def brute_force(layer: HierarchicalSoftmax, x: torch.Tensor, word: int, turns: torch.Tensor) -> float:
    """One word's log-probability, node by node, in plain numbers."""
    n, node, logp = len(layer.length), word, 0.0
    while node != 2 * n - 2:
        inner = int(layer.above[node])
        score = float(turns[node]) * sum(a * b for a, b in zip(x.tolist(), layer.weight[inner].tolist(), strict=True))
        logp -= math.log1p(math.exp(-score))
        node = n + inner
    return logp


def test_tree_equals_brute_force() -> None:
    layer, x = large(HierarchicalSoftmax(D, COUNTS)), states(13)
    expected = [brute_force(layer, x[i], i, layer.turn) for i in range(13)]
    torch.testing.assert_close(layer(x, torch.arange(13)).tolist(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("broken", ["a turn", "a node"])
def test_tree_mutants_differ(broken: str) -> None:
    """A turn the other way gives another number, and the sum is no longer one; so does a path through another node."""
    layer, x = large(HierarchicalSoftmax(D, COUNTS)), states(13)
    expected = [brute_force(layer, x[i], i, layer.turn) for i in range(13)]
    if broken == "a turn":
        layer.turn[3] *= -1
        assert abs(layer.log_probs(x)[0].exp().sum().item() - 1) > 1e-3
    else:
        layer.above[3] = (layer.above[3] + 1) % 12
    assert abs(layer(x, torch.arange(13)).tolist()[3] - expected[3]) > 1e-3


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=40))
def test_huffmans_theorem(counts: list[int]) -> None:
    """A full tree (Kraft's sum is one) whose mean path is less than one turn above the entropy."""
    layer = HierarchicalSoftmax(1, counts)
    lengths = layer.length.tolist()
    assert sum(2.0**-n for n in lengths) == pytest.approx(1.0)
    shares = [n / sum(counts) for n in counts]
    entropy = -sum(p * math.log2(p) for p in shares)
    mean = sum(p * n for p, n in zip(shares, lengths, strict=True))
    assert entropy - 1e-9 <= mean < entropy + 1


def test_no_other_tree_is_shorter() -> None:
    """All ways to give four words path lengths that a binary tree can have."""
    counts = [9, 5, 2, 1]
    trees = [n for n in itertools.product(range(1, 4), repeat=4) if sum(2.0**-k for k in n) == 1]
    best = min(sum(c * k for c, k in zip(counts, lengths, strict=True)) for lengths in trees)
    lengths = HierarchicalSoftmax(1, counts).length.tolist()
    assert sum(c * k for c, k in zip(counts, lengths, strict=True)) == best


def test_the_smallest_tree_by_hand() -> None:
    above, turn = huffman_tree([5, 1, 2])  # words 0, 1, 2; inner node 0 joins 1 and 2; inner node 1 is the root
    assert above.tolist() == [1, 0, 0, 1]
    assert turn.tolist() == [-1, 1, -1, 1]  # at the root, the lighter branch (3) comes first
    assert huffman_tree([1, 1])[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdaptiveSoftmax(8, (5, 5)), r"cutoffs: got \(5, 5\), need at least two rising numbers"),
        (lambda: AdaptiveSoftmax(8, (0, 5)), r"cutoffs: got \(0, 5\), need at least two rising numbers"),
        (lambda: AdaptiveSoftmax(8, (5,)), r"cutoffs: got \(5,\), need at least two rising numbers"),
        (lambda: AdaptiveSoftmax(8, (5, 9, 12)), "shrink: got 4, need at least one number for each of 2 clusters"),
        (lambda: HierarchicalSoftmax(8, [3]), "counts: got 1, need at least two words"),
        (lambda: HierarchicalSoftmax(8, [3, -1]), "counts: got -1, need 0 or more"),
    ],
)
def test_wrong_input(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
