"""word2vec: one vector per word, learnt from the words around it (Mikolov et al. 2013a, b).

The text is cut into stretches of T centre words. ``near[i, j]`` says whether word j stands in the window of
centre i, so a stretch is a few small matrix products instead of hundreds of pairs: the same sums, many times
faster. All centres of a stretch share M noise words, each weighted by k / M: the expected loss is that of k noise
words for every pair (the sharing is that of Ji et al. 2016, section 3). Gradients are written by hand; only rows
that were read are changed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ttlib.errors import require
from ttlib.shapes import Bool, Float, Int, Tensor
from ttlib.text.vocab import keep_probability, noise_distribution

Rows = Float[Tensor, "B _ D"]
Near = Bool[Tensor, "B T S"]
Result = tuple[Float[Tensor, ""], Rows, Rows, Rows]  # the loss; gradients for what was read in, out and as noise


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    """How to train. The defaults are gensim's, and our ``stretch`` and ``stretches``; give CBOW a rate of 0.1 or 0.2.

    Raises:
        InputError: a size is less than 1, or the learning rate is not positive.
    """

    d_model: int = 100
    window: int = 5  # at most so many words on each side: every centre draws 1 to window
    negatives: int = 5  # noise words for each true one
    lr: float = 0.025  # falls linearly to a thousandth of itself
    epochs: int = 5
    subsample: float = 1e-3
    stretch: int = 32  # centre words that share as many noise words
    stretches: int = 8  # in one step
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("d_model", "window", "negatives", "epochs", "stretch", "stretches"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require(self.lr > 0, "lr", self.lr, "a positive number")


def skip_gram_step(v: Rows, u: Rows, noise: Rows, near: Near, k: int) -> Result:
    r"""Predict the words around from each centre: the loss and its gradients (Mikolov et al. 2013b, eq. 4).

    .. math:: -\sum_{ij} near_{ij} [\log σ(u_j·v_i) + k\,\mathrm{mean}_m \log σ(-u_m·v_i)]

    ``v`` (B, T, D) are the centres' rows of the input table, ``u`` (B, S, D) the output rows of all words
    around, ``noise`` (B, M, D) output rows drawn at random.
    """
    yes = near.to(v.dtype)
    scores = v @ u.mT  # (B, T, S)
    d_scores = yes * (scores.sigmoid() - 1)
    loss, d_v, d_noise = _against_noise(v, noise, yes.sum(-1, keepdim=True), k)
    return loss + (yes * F.softplus(-scores)).sum(), d_v + d_scores @ u, d_scores.mT @ v, d_noise


def cbow_step(v: Rows, u: Rows, noise: Rows, near: Near, k: int) -> Result:
    r"""Predict each centre from the mean of the words around it: the loss and its gradients.

    .. math:: -\sum_i [\log σ(u_i·h_i) + k\,\mathrm{mean}_m \log σ(-u_m·h_i)],\quad h_i = \mathrm{mean}_j v_j

    ``v`` (B, S, D) are the input rows of all words around, ``u`` (B, T, D) the centres' output rows. A centre
    with nothing around it does not count. The gradient is the true one; the authors' program does not divide
    the neighbours' share by their number (İrsoy et al. 2021), so it takes larger steps.
    """
    yes = near.to(v.dtype)
    n = yes.sum(-1, keepdim=True)  # (B, T, 1)
    counts = n.clamp(max=1)
    mix = yes / n.clamp(min=1)  # (B, T, S)
    h = mix @ v  # (B, T, D)
    scores = (h * u).sum(-1, keepdim=True)
    d_scores = counts * (scores.sigmoid() - 1)
    loss, d_h, d_noise = _against_noise(h, noise, counts, k)
    return loss + (counts * F.softplus(-scores)).sum(), mix.mT @ (d_h + d_scores * u), d_scores * h, d_noise


def _against_noise(h: Rows, noise: Rows, times: Float[Tensor, "B T 1"], k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The noise's part of the loss, in which centre i counts ``times[i]``; gradients for centres and noise."""
    weight = times * (k / noise.shape[1])
    scores = h @ noise.mT  # (B, T, M)
    d_scores = weight * scores.sigmoid()
    return (weight * F.softplus(scores)).sum(), d_scores @ noise, d_scores.mT @ h


@dataclass(frozen=True)
class Objective:
    """A way to learn: its step, and whether the input table is read around the centre (else at the centre)."""

    step: Callable[[Tensor, Tensor, Tensor, Tensor, int], Result]
    reads_around: bool


SKIP_GRAM = Objective(skip_gram_step, reads_around=False)
CBOW = Objective(cbow_step, reads_around=True)


class Word2Vec:
    """Two tables of one row per word: ``table`` (what is kept as the words' vectors) and ``out``, both (V, D).

    Equal seeds give equal tables, on one device and one number of threads.

    Raises:
        InputError: a count is not positive.
    """

    def __init__(
        self,
        objective: Objective,
        counts: Int[Tensor, " V"],
        config: Word2VecConfig,
        device: torch.device | str = "cpu",
    ) -> None:
        self.objective, self.config, self.device = objective, config, torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        self.keep = keep_probability(counts, config.subsample).to(self.device)
        self.noise = noise_distribution(counts).to(self.device)
        size = (len(counts), config.d_model)
        self.table = (torch.rand(size, generator=self.generator, device=self.device) - 0.5) / config.d_model
        self.out = torch.zeros(size, device=self.device)

    def fit(
        self,
        ids: Int[Tensor, " N"],
        places: Int[Tensor, " M"],
        report: Callable[[int, str], None] | None = None,
    ) -> list[float]:
        """Train; windows do not reach into another sentence (``places`` numbers them). Loss per centre and epoch.

        ``report(words, note)`` is called after each part of an epoch, for example a `Progress`'s ``update``.

        Raises:
            InputError: there are fewer than two words, ids and places differ in length, or an id is not in the table.
        """
        require(len(ids) > 1, "ids", len(ids), "at least two words")
        require(len(ids) == len(places), "places", len(places), f"one per word ({len(ids)})")
        low, high = int(ids.min()), int(ids.max())
        require(low >= 0 and high < len(self.table), "ids", (low, high), f"numbers from 0 to {len(self.table) - 1}")
        ids, places, told = ids.to(self.device), places.to(self.device), report or (lambda words, note: None)
        return [self._epoch(ids, places, epoch, told) for epoch in range(self.config.epochs)]

    def _epoch(self, ids: Tensor, places: Tensor, epoch: int, report: Callable[[int, str], None]) -> float:
        """Thin the text out anew, and go through it once."""
        c = self.config
        stays = self._thinned(ids)
        parts = [part.split(c.stretches) for part in self._stretches(ids[stays], places[stays])]
        loss = torch.zeros((), device=self.device, dtype=torch.float64)
        for i, (around, sentence, reach, noise) in enumerate(zip(*parts, strict=True)):
            done = epoch + i / len(parts[0])
            near = in_window(sentence, reach, c.window)
            loss += self._step(around, noise, near, c.lr * max(1e-3, 1 - done / c.epochs))
            if i % 200 == 199:
                report(int(done * len(ids)), f"loss {float(loss) / (i * c.stretches * c.stretch):.2f}")
        mean = float(loss) / max(1, int(stays.sum()))
        require(math.isfinite(mean), "lr", c.lr, "a smaller one: the loss is no longer a number")
        report((epoch + 1) * len(ids), f"loss {mean:.2f}")
        return mean

    def _thinned(self, ids: Int[Tensor, " N"]) -> Bool[Tensor, " N"]:
        """Which words stay when frequent ones are thinned out."""
        return torch.rand(len(ids), generator=self.generator, device=self.device) < self.keep[ids]

    def _stretches(self, ids: Tensor, places: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """For C stretches: ids and sentences around (C, S), how far each centre sees (C, T), noise (C, T)."""
        c = self.config
        starts = torch.arange(0, len(ids), c.stretch, device=self.device)
        positions = starts[:, None] + torch.arange(-c.window, c.stretch + c.window, device=self.device)
        inside = (positions >= 0) & (positions < len(ids))
        positions = positions * inside
        sentence = places[positions].masked_fill(~inside, -1)
        size = (len(starts), c.stretch)
        reach = torch.randint(1, c.window + 1, size, generator=self.generator, device=self.device)
        noise = torch.multinomial(self.noise, reach.numel(), replacement=True, generator=self.generator)
        return ids[positions], sentence, reach, noise.view(size)

    def _step(self, around: Tensor, noise: Tensor, near: Tensor, lr: float) -> Tensor:
        """Read the rows, get the gradients, write the rows back."""
        centres = around[:, self.config.window : self.config.window + near.shape[1]]
        read, asked = (around, centres) if self.objective.reads_around else (centres, around)
        tables = ((self.table, read), (self.out, asked), (self.out, noise))
        v, u, negatives = (table.index_select(0, i.flatten()).view(*i.shape, -1) for table, i in tables)
        loss, *gradients = self.objective.step(v, u, negatives, near, self.config.negatives)
        for (table, i), gradient in zip(tables, gradients, strict=True):
            table.index_add_(0, i.flatten(), gradient.flatten(0, 1), alpha=-lr)
        return loss


def in_window(sentence: Int[Tensor, "B S"], reach: Int[Tensor, "B T"], window: int) -> Bool[Tensor, "B T S"]:
    """True where word j stands at most ``reach[i]`` from centre i, in its sentence, and is not the centre itself.

    ``sentence`` numbers the sentences, -1 is outside the text; centre i is word ``i + window`` of the S words.
    """
    n_centres = reach.shape[1]
    place = torch.arange(sentence.shape[1], device=sentence.device)
    away = (place - place[window : window + n_centres, None]).abs()  # (T, S)
    centre = sentence[:, window : window + n_centres, None]
    return (away > 0) & (away <= reach[..., None]) & (centre == sentence[:, None]) & (centre >= 0)
