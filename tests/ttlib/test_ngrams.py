"""N-gram probabilities sum to 1 and are those of a plain recursion over dictionaries; mutants of it are not."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.errors import InputError
from ttlib.text.ngrams import KneserNey, discounts

V = 12


def a_text(n: int = 4000, seed: int = 0) -> torch.Tensor:
    """Ids with a memory of two tokens, so that every order has something to find."""
    generator = torch.Generator().manual_seed(seed)
    follow = torch.rand(V, V, V, generator=generator) ** 12
    ids = [0, 1]
    for u in torch.rand(n - 2, generator=generator).tolist():
        share = follow[ids[-2], ids[-1]].cumsum(0)
        ids.append(int(torch.searchsorted(share, u * share[-1])))
    return torch.tensor(ids)


def grams(ids: Sequence[int], n: int) -> Counter[tuple[int, ...]]:
    return Counter(tuple(ids[i : i + n]) for i in range(len(ids) - n + 1))


class Plain:
    """The definition, word for word: counts in dictionaries, probabilities by recursion."""

    def __init__(self, ids: Sequence[int], order: int, mutant: str = "") -> None:
        self.order, self.mutant = order, mutant
        self.counts = [Counter[tuple[int, ...]]()] + [grams(ids, n) for n in range(1, order + 1)]
        for n in range(1, order):
            if mutant != "lower orders count occurrences":
                before = defaultdict(set)
                for gram in grams(ids, n + 1):
                    before[gram[1:]].add(gram[0])
                self.counts[n] = Counter({gram: len(tokens) for gram, tokens in before.items()})
        self.off = [[0.0, 0.5, 1.0, 1.5]] + [self.discount(n) for n in range(1, order + 1)]
        self.followers: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
        self.by_order: list[dict[tuple[int, ...], dict[int, int]]] = []
        for n in range(order + 1):
            table: dict[tuple[int, ...], dict[int, int]] = defaultdict(dict)
            for gram, count in self.counts[n].items():
                table[gram[:-1]][gram[-1]] = count
            self.by_order.append(table)

    def discount(self, n: int) -> list[float]:
        of = Counter(self.counts[n].values())
        if self.mutant == "one discount for all" or not all(of[c] for c in (1, 2, 3, 4)):
            return [0.0, 0.5, 1.0, 1.5] if self.mutant != "one discount for all" else [0.0, 0.5, 0.5, 0.5]
        y = of[1] / (of[1] + 2 * of[2])
        found = [1 - 2 * y * of[2] / of[1], 2 - 3 * y * of[3] / of[2], 3 - 4 * y * of[4] / of[3]]
        if not all(0 < d <= c for c, d in enumerate(found, 1)):
            return [0.0, 0.5, 1.0, 1.5]
        return [0.0, *found]

    def p(self, token: int, context: tuple[int, ...], n: int) -> float:
        if n == 0:
            return 1 / V if self.mutant != "no last fallback" else 0.0
        lower = self.p(token, context, n - 1)
        if len(context) < n - 1:
            return lower
        after = self.by_order[n].get(context[len(context) - n + 1 :], {})
        total = sum(after.values())
        if total == 0:
            return lower
        off = self.off[n]
        left_over = sum(off[min(count, 3)] for count in after.values()) / total
        count = after.get(token, 0)
        return (count - off[min(count, 3)]) / total + left_over * lower


def plain_log_probs(ids: torch.Tensor, text: torch.Tensor, order: int, mutant: str = "") -> torch.Tensor:
    plain, row = Plain(text.tolist(), order, mutant), ids.tolist()
    found = [plain.p(token, tuple(row[:i]), order) for i, token in enumerate(row)]
    return torch.tensor(found, dtype=torch.float64).log()


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [40, 4000])
def test_kneser_ney_equals_the_plain_recursion(order: int, length: int) -> None:
    text, ids = a_text(length), a_text(300, seed=1)
    ours = KneserNey(text, V, order)
    torch.testing.assert_close(ours.log_probs(ids), plain_log_probs(ids, text, order), rtol=0, atol=1e-10)


@pytest.mark.parametrize("mutant", ["lower orders count occurrences", "one discount for all", "no last fallback"])
def test_kneser_ney_mutants_differ(mutant: str) -> None:
    text, ids = a_text(4000), torch.randint(V, (300,))
    ours = KneserNey(text, V, 3).log_probs(ids)
    assert not torch.allclose(ours, plain_log_probs(ids, text, 3, mutant), rtol=0, atol=1e-3)


def test_all_orders_come_from_one_count() -> None:
    text, ids = a_text(2000), a_text(200, seed=1)
    whole = KneserNey(text, V, 5)
    for order in range(1, 6):
        assert torch.equal(whole.log_probs(ids, order), KneserNey(text, V, order).log_probs(ids))


@given(context=st.lists(st.integers(0, V - 1), max_size=7), order=st.integers(1, 4), n=st.integers(4, 400))
def test_every_distribution_sums_to_one_and_leaves_nothing_out(context: list[int], order: int, n: int) -> None:
    model = KneserNey(a_text(n), V, 4)
    p = model.distribution(torch.tensor(context, dtype=torch.long), order)
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    assert bool((p > 0).all())


def test_distribution_is_what_log_probs_reads() -> None:
    model, ids = KneserNey(a_text(), V, 4), a_text(50, seed=2)
    one_by_one = [model.distribution(ids[:i])[ids[i]].log() for i in range(50)]
    torch.testing.assert_close(torch.stack(one_by_one), model.log_probs(ids), rtol=0, atol=1e-12)


def test_the_right_order_is_found() -> None:
    """The text was made with a memory of two: three tokens beat two and one, and eight do not help."""
    model, ids = KneserNey(a_text(40_000), V, 8), a_text(5000, seed=3)  # another process: other shares
    own = a_text(45_000)[40_000:]
    loss = [-float(model.log_probs(own, order).mean()) for order in (1, 2, 3, 8)]
    assert loss[0] > loss[1] > loss[2]
    assert loss[3] > loss[2] - 0.01
    assert -float(model.log_probs(ids).mean()) > loss[2] + 0.3


def test_a_token_beyond_training_is_not_impossible() -> None:
    text = torch.tensor([0, 1] * 50)
    model = KneserNey(text, V, 4)
    assert model.distribution(torch.tensor([5, 6, 7]))[11] > 0
    assert model.distribution(torch.tensor([0, 1, 0]))[1] > 0.5


def test_discounts_by_hand() -> None:
    counts = torch.tensor([1] * 20 + [2] * 8 + [3] * 5 + [4] * 3 + [9])
    y = 20 / 36
    wanted = [0, 1 - 2 * y * 8 / 20, 2 - 3 * y * 5 / 8, 3 - 4 * y * 3 / 5]
    torch.testing.assert_close(discounts(counts), torch.tensor(wanted, dtype=torch.float64))
    assert discounts(torch.tensor([1, 1, 2])).tolist() == [0, 0.5, 1, 1.5]  # no threes: nothing to go by


REFUSED = {
    "order": (lambda: KneserNey(a_text(9), V, 0), "max_order: got 0, need at least 1"),
    "short": (lambda: KneserNey(a_text(3), V, 4), "ids: got '3 tokens', need at least max_order=4"),
    "vocabulary": (lambda: KneserNey(torch.tensor([1, 12]), V, 1), r"ids: got \[1, 12\], need ids from 0 to 11"),
    "query": (lambda: KneserNey(a_text(9), V, 2).log_probs(torch.tensor([-1])), r"ids: got \[-1\]"),
    "context": (lambda: KneserNey(a_text(9), V, 2).distribution(torch.tensor([99])), r"ids: got \[99\]"),
    "uncounted": (lambda: KneserNey(a_text(9), V, 2).log_probs(a_text(9), 3), "order: got 3, need 1 to max_order=2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        call()
