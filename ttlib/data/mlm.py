"""Masking for masked language modelling (Devlin et al. 2018, §3.1, task 1): a pure function of a generator."""

from dataclasses import dataclass
from typing import NamedTuple

import torch

from ttlib.errors import require
from ttlib.shapes import Bool, Int, Tensor
from ttlib.text.wordpiece import MASK_ID, SPECIALS


@dataclass(frozen=True, kw_only=True)
class MaskingRule:
    """Which share of the tokens is selected, and what becomes of the selected ones.

    ``as_mask`` of them become [MASK], ``as_random`` a random token, the rest stay as they are.

    Raises:
        InputError: a share is not between 0 and 1, or the two shares exceed 1.
    """

    share: float = 0.15
    as_mask: float = 0.8
    as_random: float = 0.1

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("share", "as_mask", "as_random"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a share between 0 and 1")
        total = self.as_mask + self.as_random
        require(total <= 1 + 1e-9, "as_mask + as_random", total, "at most 1")


BERT_RULE = MaskingRule()


class Masked(NamedTuple):
    """What the model reads, and where it is asked: at every selected place, whatever stands there now."""

    ids: Int[Tensor, "B T"]
    selected: Bool[Tensor, "B T"]


def mask_tokens(
    ids: Int[Tensor, "B T"],
    vocab_size: int,
    generator: torch.Generator,
    rule: MaskingRule = BERT_RULE,
) -> Masked:
    """Select tokens one by one, each with the same probability, and change them as the rule says.

    Special tokens and padding are never selected, and no token is replaced by one of them but [MASK]. Each call draws
    anew ("dynamic masking", Liu et al. 2019, §4.1); the original masked its corpus once, ten times over, and took
    a fixed number of tokens from each row.
    """
    chance, fate = (torch.rand(ids.shape, generator=generator) for _ in range(2))
    words = torch.randint(len(SPECIALS), vocab_size, ids.shape, generator=generator)
    selected = (chance < rule.share) & (ids >= len(SPECIALS))
    masked = selected & (fate < rule.as_mask)
    random = selected & (fate >= rule.as_mask) & (fate < rule.as_mask + rule.as_random)
    return Masked(ids.masked_fill(masked, MASK_ID).where(~random, words), selected)
