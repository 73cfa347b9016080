"""Continue texts: ways to choose the next token, and `generate` and `stream`, which write with them."""

import random
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch

from ttlib.errors import require
from ttlib.generate.loop import Choose, check_prompts, grow
from ttlib.generate.session import CachedSession, Session
from ttlib.runtime import eval_mode
from ttlib.shapes import Float, Int, Tensor


def greedy_choice(logits: Float[Tensor, "B V"], rows: Sequence[int]) -> Int[Tensor, " B"]:
    """The likeliest token of each row."""
    return logits.argmax(-1)


def keep_top_k(logits: Float[Tensor, "... V"], k: int) -> Float[Tensor, "... V"]:
    """−∞ for all but the k largest (Fan et al. 2018, §5.4). What equals the k-th stays too.

    Raises:
        InputError: k is not positive.
    """
    require(k > 0, "top_k", k, "a positive number of tokens to choose from")
    if k >= logits.size(-1):
        return logits
    smallest = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < smallest, -torch.inf)


def keep_top_p(logits: Float[Tensor, "... V"], p: float) -> Float[Tensor, "... V"]:
    """−∞ for all but the *nucleus*: the fewest tokens, likeliest first, whose probabilities sum to p or more.

    Holtzman et al. 2019, §3.1. At least one token stays.

    Raises:
        InputError: p is not above 0 and at most 1.
    """
    require(0 < p <= 1, "top_p", p, "a share of the probability, above 0 and at most 1")
    if p == 1:
        return logits
    ordered, order = logits.sort(-1, descending=True)
    probabilities = ordered.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities  # what the likelier ones have together
    outside = before >= p
    outside[..., 0] = False
    return logits.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), -torch.inf)


class Sampler:
    """Draws each token at random by softmax(logits / temperature), from the top k and then from the nucleus of p.

    Temperature: Ackley et al. 1985; a low one prefers the likely, a high one levels all. The same generator state,
    the same tokens. Each row of a batch has random numbers of its own, the i-th row those of a seed that is the
    i-th number of ``generator``: what it draws does not depend on what its neighbours are or when they end.

    Raises:
        InputError: a temperature that is not positive, or a k or p that leaves nothing.
    """

    def __init__(
        self,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        need = "a positive number; for the likeliest token every time choose by `greedy_choice`"
        require(temperature > 0, "temperature", temperature, need)
        require(top_k is None or top_k > 0, "top_k", top_k, "a positive number of tokens to choose from, or None")
        require(0 < top_p <= 1, "top_p", top_p, "a share of the probability, above 0 and at most 1")
        self.temperature, self.top_k, self.top_p, self.generator = temperature, top_k, top_p, generator
        self.numbers: list[random.Random] = []

    def __call__(self, logits: Float[Tensor, "B V"], rows: Sequence[int]) -> Int[Tensor, " B"]:
        """A token for each row: where a random number falls on the line of all probabilities, end to end."""
        line = self.probabilities(logits).cumsum(-1)  # (B, V)
        where = torch.tensor([[self.uniform(row)] for row in rows], dtype=torch.float64, device=line.device)
        return torch.searchsorted(line, where * line[:, -1:], right=True)[:, 0]

    def probabilities(self, logits: Float[Tensor, "... V"]) -> Float[Tensor, "... V"]:
        """What the tokens are drawn by, in float64."""
        logits = logits.double() / self.temperature
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        return keep_top_p(logits, self.top_p).softmax(-1)

    def uniform(self, row: int) -> float:
        """The row's next random number from 0 to 1."""
        device = self.generator.device if self.generator else None
        while len(self.numbers) <= row:
            seed = torch.randint(2**63 - 1, (), generator=self.generator, device=device)
            self.numbers.append(random.Random(int(seed)))
        return self.numbers[row].random()


def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    max_new: int,
    choose: Choose = greedy_choice,
    stop: Collection[int] = (),
    session: Session | None = None,
) -> list[list[int]]:
    """What the model writes after each prompt: at most ``max_new`` ids each, without prompt and stop token.

    ``model`` is a decoder-only model (`ttlib.models.decoder_only`); another kind comes with its own ``session``.

    Raises:
        InputError: there is no prompt, one is empty, or the lengths go beyond the model's positions.
    """
    check_prompts(prompts, max_new, model.config.max_len)
    output: list[list[int]] = [[] for _ in prompts]
    with eval_mode(model):
        for step in grow(session or CachedSession(model), prompts, max_new, choose, stop):
            for row, token in step:
                output[row].append(token)
    return output


def stream(
    model: Any,
    prompt: Sequence[int],
    max_new: int,
    choose: Choose = greedy_choice,
    stop: Collection[int] = (),
    session: Session | None = None,
) -> Iterator[int]:
    """The ids of `generate` for one prompt, each as soon as it is written. Whoever stops reading stops the model.

    Raises:
        InputError: as `generate`, at once and not at the first id.
    """
    check_prompts([prompt], max_new, model.config.max_len)
    steps = grow(session or CachedSession(model), [prompt], max_new, choose, stop)

    def ids() -> Iterator[int]:
        while True:
            with eval_mode(model):  # for one step: between two ids, the reader's own mode holds
                step = next(steps, None)
            if not step:
                return
            yield step[0][1]

    return ids()
