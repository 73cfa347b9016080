"""Several processes, one model: what ``torchrun`` tells us."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from ttlib import runtime


@dataclass(frozen=True)
class World:
    """This process's place among all of them."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def is_first(self) -> bool:
        """Whether this process prints and saves."""
        return self.rank == 0


ALONE = World()


@contextmanager
def join_world() -> Iterator[World]:
    """Join the processes that ``torchrun`` has started (NCCL on CUDA, gloo on CPUs); alone without it."""
    if "RANK" not in os.environ:
        yield World(device=runtime.device())
        return
    device = runtime.device()
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()
