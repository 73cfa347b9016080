"""What all batches have in common: they go to a device whole, and each epoch is dealt by a seed of its own."""

from typing import TypeVar

import torch

B = TypeVar("B", bound="Batch")


class Batch:
    """The base of frozen dataclasses whose fields are tensors."""

    def to(self: B, device: torch.device) -> B:
        """The same batch on another device."""
        return type(self)(*(value.to(device, non_blocking=True) for value in vars(self).values()))


def epoch_seed(seed: int, number: int) -> int:
    """A seed for the epoch (or whatever is counted) of this number: another one for each pair of small numbers."""
    return seed * 1_000_003 + number
