"""The last layer over a large vocabulary: in full, and two ways to compute less for one word.

All three are called alike: ``layer(states, targets)`` gives the log-probability of each target, (N,), and
``layer.log_probs(states)`` the whole distribution, (N, V).
"""

import heapq
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ttlib.errors import require
from ttlib.shapes import Float, Int, Tensor


class FullSoftmax(nn.Module):
    """log softmax(h Wᵀ): one row of W and one product for every word of the vocabulary."""

    def __init__(self, d_model: int, vocab_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocab_size, d_model) * d_model**-0.5)

    def forward(self, states: Float[Tensor, "N D"], targets: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """Log-probability of each target."""
        return -F.cross_entropy(states @ self.weight.T, targets, reduction="none")

    def log_probs(self, states: Float[Tensor, "N D"]) -> Float[Tensor, "N V"]:
        """Log-probability of every word."""
        return (states @ self.weight.T).log_softmax(-1)


class AdaptiveSoftmax(nn.Module):
    """Frequent words in a head; rare ones in clusters, each behind one entry of the head and with narrower vectors.

    log p(w) = log p(w | head), or log p(cluster | head) + log p(w | cluster) (Grave et al. 2017, §4). A
    cluster's vectors have d_model / shrink, d_model / shrink², … numbers: a rare word cannot fill more.

    ``cutoffs`` are the ends of the parts, the last one the size of the vocabulary; **ids stand in order of
    frequency**. Parameters are named as in torch's ``nn.AdaptiveLogSoftmaxWithLoss``, so that each loads the other's.

    Raises:
        InputError: cutoffs do not rise, or the last cluster would have no width.
    """

    def __init__(self, d_model: int, cutoffs: Sequence[int], shrink: int = 4) -> None:
        super().__init__()
        rising = len(cutoffs) > 1 and all(a < b for a, b in zip([0, *cutoffs], cutoffs, strict=False))
        require(rising, "cutoffs", tuple(cutoffs), "at least two rising numbers, the last one the vocabulary's size")
        n_clusters = len(cutoffs) - 1
        widths = [d_model // shrink ** (i + 1) for i in range(n_clusters)]
        require(min(widths) > 0, "shrink", shrink, f"at least one number for each of {n_clusters} clusters")
        self.cutoffs = tuple(cutoffs)
        self.head = nn.Linear(d_model, cutoffs[0] + n_clusters, bias=False)
        self.tail = nn.ModuleList(
            nn.Sequential(nn.Linear(d_model, width, bias=False), nn.Linear(width, end - start, bias=False))
            for width, start, end in zip(widths, cutoffs, cutoffs[1:], strict=False)
        )

    def forward(self, states: Float[Tensor, "N D"], targets: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """Log-probability of each target: a cluster is computed only for the rows whose target it holds."""
        starts, frequent = self.cutoffs[:-1], self.cutoffs[0]
        part = torch.bucketize(targets, targets.new_tensor(starts), right=True)  # (N,): 0 = the head itself
        entry = torch.where(part == 0, targets, frequent + part - 1)
        logp = -F.cross_entropy(self.head(states), entry, reduction="none")
        for i, (start, cluster) in enumerate(zip(starts, self.tail, strict=True)):
            rows = (part == i + 1).nonzero()[:, 0]
            inside = -F.cross_entropy(cluster(states[rows]), targets[rows] - start, reduction="none")
            logp = logp.index_add(0, rows, inside)
        return logp

    def log_probs(self, states: Float[Tensor, "N D"]) -> Float[Tensor, "N V"]:
        """Log-probability of every word: now every cluster is computed for every row."""
        head, frequent = self.head(states).log_softmax(-1), self.cutoffs[0]
        parts = [head[:, :frequent]]
        for i, cluster in enumerate(self.tail):
            parts.append(head[:, frequent + i, None] + cluster(states).log_softmax(-1))
        return torch.cat(parts, 1)


class HierarchicalSoftmax(nn.Module):
    """Words are the leaves of Huffman's tree: p(w) = the product of σ(± h · u_node) down its path.

    Morin & Bengio 2005; with Huffman's tree Mikolov et al. 2013, §2.1, eq. 3. Frequent words have short paths:
    on average less than one turn more than the entropy of the words, in bits.

    Raises:
        InputError: fewer than two words, or a negative count.
    """

    above: Tensor
    turn: Tensor
    steps: Tensor
    length: Tensor
    start: Tensor

    def __init__(self, d_model: int, counts: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(len(counts) - 1, d_model) * d_model**-0.5)  # inner nodes
        above, turn = huffman_tree(counts)
        self.register_buffer("above", above, persistent=False)
        self.register_buffer("turn", turn, persistent=False)
        ups = above.tolist()
        paths = [_path(word, ups) for word in range(len(counts))]
        self.register_buffer("steps", torch.tensor([step for path in paths for step in path]), persistent=False)
        length = torch.tensor([len(path) for path in paths])
        self.register_buffer("length", length, persistent=False)
        self.register_buffer("start", length.cumsum(0) - length, persistent=False)

    def forward(self, states: Float[Tensor, "N D"], targets: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """Log-probability of each target, from the nodes on its own path alone."""
        length = self.length[targets]
        row = torch.arange(len(targets), device=targets.device).repeat_interleave(length)  # (M,), M = all turns
        first = length.cumsum(0) - length
        step = self.steps[(self.start[targets] - first)[row] + torch.arange(len(row), device=row.device)]
        nodes = F.embedding(self.above[step], self.weight)  # (M, D)
        scores = (states[row] * nodes).sum(-1) * self.turn[step]
        return states.new_zeros(len(targets)).index_add(0, row, F.logsigmoid(scores))

    def log_probs(self, states: Float[Tensor, "N D"]) -> Float[Tensor, "N V"]:
        """Log-probability of every word: one product per inner node, as many as the full softmax has, and the sums.

        Every node adds what its ancestor has gathered, then looks twice as far up: 5 rounds for 32 levels.
        """
        scores = self.weight @ states.T  # (V - 1, N)
        own = F.logsigmoid(scores[self.above] * self.turn[:, None])  # of each node but the root
        total = torch.cat([own, own.new_zeros(1, own.size(1))])  # (2V - 1, N)
        n_words, root = len(self.length), len(total) - 1
        up = torch.cat([self.above + n_words, self.above.new_tensor([root])])
        while bool((up[:n_words] != root).any()):
            total, up = total + total[up], up[up]
        return total[:n_words].T


def huffman_tree(counts: Sequence[int]) -> tuple[Int[Tensor, " M"], Float[Tensor, " M"]]:
    """Join the two rarest, again and again (Huffman 1952): for each node but the root, (the node above, the turn ±1).

    Nodes 0 … V − 1 are the words, those after them the inner nodes, the root last. ``above`` counts inner nodes
    from 0.

    Raises:
        InputError: fewer than two words, or a negative count.
    """
    require(len(counts) > 1, "counts", len(counts), "at least two words")
    require(min(counts) >= 0, "counts", min(counts), "0 or more for every word")
    heap = [(n, i) for i, n in enumerate(counts)]
    heapq.heapify(heap)
    above = torch.zeros(2 * len(counts) - 2, dtype=torch.long)
    turn = torch.ones(len(above))
    for inner in range(len(counts) - 1):
        (n, left), (m, right) = heapq.heappop(heap), heapq.heappop(heap)
        above[left] = above[right] = inner
        turn[right] = -1.0
        heapq.heappush(heap, (n + m, len(counts) + inner))
    return above, turn


def _path(node: int, above: Sequence[int]) -> list[int]:
    """The nodes from this one up to the one below the root: each stands for a turn."""
    path, n_words = [], len(above) // 2 + 1
    while node < len(above):
        path.append(node)
        node = n_words + above[node]
    return path
