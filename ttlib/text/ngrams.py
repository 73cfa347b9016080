"""N-grams: the next token from counts of what followed the last few tokens. The baseline of every language model."""

import torch

from ttlib.errors import require
from ttlib.shapes import Float, Int, Tensor

UNSEEN = -1


class Order:
    """All n-grams of one length n: by context and last token, how often, and after how many different tokens.

    An n-gram's number is its place in ``codes``; a code is (number of its first n − 1 tokens) · V + last token.
    """

    def __init__(
        self, contexts: Int[Tensor, " N"], tokens: Int[Tensor, " N"], shorter: Tensor, vocab_size: int
    ) -> None:
        self.vocab_size = vocab_size
        self.codes, self.numbers, self.counts = torch.unique(
            contexts * vocab_size + tokens, return_inverse=True, return_counts=True
        )
        self.suffixes = torch.empty_like(self.codes)  # the n-gram without its first token, as a number
        self.suffixes[self.numbers] = shorter

    def find(self, contexts: Int[Tensor, "..."], tokens: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
        """The numbers of these n-grams; -1 where training never had one."""
        wanted = contexts * self.vocab_size + tokens
        place = torch.searchsorted(self.codes, wanted).clamp(max=len(self.codes) - 1)
        known = (self.codes[place] == wanted) & (contexts != UNSEEN)
        return torch.where(known, place, UNSEEN)


class Level:
    """One order's counts with a discount taken off each: shares of what was seen, and what is left for shorter ones."""

    def __init__(self, order: Order, counts: Int[Tensor, " N"], n_contexts: int) -> None:
        less = discounts(counts)[counts.clamp(max=3)]  # (N,)
        contexts = order.codes // order.vocab_size
        empty = torch.zeros(n_contexts, dtype=torch.float64)
        self.total = empty.scatter_add(0, contexts, counts.double())
        self.left_over = empty.scatter_add(0, contexts, less) / self.total.clamp(min=1)
        self.share = (counts - less) / self.total[contexts].clamp(min=1)


def discounts(counts: Int[Tensor, " N"]) -> Float[Tensor, " four"]:
    """What is taken off a count of 0, 1, 2, and 3 or more (Chen & Goodman 1999, section 3).

    Where too few n-grams have a count for the formula to hold, one half, 1 and 3/2.
    """
    n = torch.bincount(counts.clamp(max=5), minlength=6)[1:5].double()  # n-grams with a count of 1, 2, 3, 4
    y = n[0] / (n[0] + 2 * n[1])
    counted = torch.arange(1, 4)
    found = counted - (counted + 1) * y * n[1:] / n[:-1]
    good = bool((n > 0).all() and (found > 0).all() and (found <= counted).all())
    return torch.cat([torch.zeros(1), found if good else counted / 2]).double()


class KneserNey:
    """Interpolated, modified Kneser–Ney smoothing (Kneser & Ney 1995; Chen & Goodman 1999, section 3).

    P(w | h) = (c(hw) − D(c(hw))) / c(h) + (what was taken off) / c(h) · P(w | h without its first token).

    At the highest order, c counts occurrences; below it, c(hw) is the number of *different* tokens before hw, since
    that is when the shorter n-gram is asked. The last fallback is 1/V for each token, so nothing is impossible.
    Contexts that training never had are skipped. One pass counts all orders up to ``max_order``.

    Raises:
        InputError: an order that is not positive, fewer tokens than it needs, or ids outside the vocabulary.
    """

    def __init__(self, ids: Int[Tensor, " N"], vocab_size: int, max_order: int) -> None:
        require(max_order >= 1, "max_order", max_order, "at least 1")
        require(len(ids) >= max_order, "ids", f"{len(ids)} tokens", f"at least max_order={max_order}")
        check_range(ids, vocab_size)
        self.vocab_size, self.max_order = vocab_size, max_order
        self.orders: list[Order] = []
        before = torch.zeros(len(ids) + 1, dtype=torch.long)  # the one empty context, at every place
        shorter = torch.zeros(len(ids), dtype=torch.long)
        for n in range(1, max_order + 1):  # the n-gram that ends at each place from n − 1 on
            order = Order(before[:-1], ids[n - 1 :], shorter, vocab_size)
            self.orders.append(order)
            before, shorter = order.numbers, order.numbers[1:]
        self.highest = [self._level(n, by_occurrence=True) for n in range(1, max_order + 1)]
        self.lower = [self._level(n, by_occurrence=False) for n in range(1, max_order)]

    def _level(self, n: int, by_occurrence: bool) -> Level:
        order = self.orders[n - 1]
        n_contexts = 1 if n == 1 else len(self.orders[n - 2].codes)
        if by_occurrence:
            return Level(order, order.counts, n_contexts)
        return Level(order, torch.bincount(self.orders[n].suffixes, minlength=len(order.codes)), n_contexts)

    def log_probs(self, ids: Int[Tensor, " N"], order: int | None = None) -> Float[Tensor, " N"]:
        """The natural logarithm of each token's probability after those before it.

        ``order``: use n-grams up to this length, by default all.

        Raises:
            InputError: ids outside the vocabulary, or an order that was not counted.
        """
        check_range(ids, self.vocab_size)
        return self._probabilities(self._contexts(ids)[:, :-1], ids, self._check(order)).log()

    def distribution(self, context: Int[Tensor, " N"], order: int | None = None) -> Float[Tensor, " V"]:
        """The probability of every token of the vocabulary after this context.

        Raises:
            InputError: ids outside the vocabulary, or an order that was not counted.
        """
        check_range(context, self.vocab_size)
        contexts = self._contexts(context)[:, -1:].expand(-1, self.vocab_size)
        return self._probabilities(contexts, torch.arange(self.vocab_size), self._check(order))

    def _check(self, order: int | None) -> int:
        order = self.max_order if order is None else order
        require(1 <= order <= self.max_order, "order", order, f"1 to max_order={self.max_order}")
        return order

    def _contexts(self, ids: Int[Tensor, " N"]) -> Int[Tensor, "orders M"]:
        """Row n, column i: the number of the n tokens before place i (-1: unseen). One column more than ids."""
        rows = torch.full((self.max_order, len(ids) + 1), UNSEEN)
        rows[0] = 0
        for n in range(1, self.max_order):
            rows[n, 1:] = self.orders[n - 1].find(rows[n - 1, :-1], ids)
        return rows

    def _probabilities(self, contexts: Tensor, tokens: Tensor, order: int) -> Float[Tensor, " N"]:
        p = torch.full((len(tokens),), 1 / self.vocab_size, dtype=torch.float64)
        for n in range(1, order + 1):
            level = self.highest[n - 1] if n == order else self.lower[n - 1]
            context = contexts[n - 1]
            known = (context != UNSEEN) & (level.total[context] > 0)
            found = self.orders[n - 1].find(context, tokens)
            share = torch.where(found == UNSEEN, 0.0, level.share[found])
            p = torch.where(known, share + level.left_over[context] * p, p)
        return p


def check_range(ids: Int[Tensor, " N"], vocab_size: int) -> None:
    """Refuse ids that the vocabulary does not have."""
    inside = len(ids) == 0 or bool((ids.min() >= 0) & (ids.max() < vocab_size))
    require(inside, "ids", ids.tolist() if len(ids) < 9 else f"{len(ids)} ids", f"ids from 0 to {vocab_size - 1}")
