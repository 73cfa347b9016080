"""What a function costs here: time, and the memory that training must keep for it."""

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.benchmark import Timer

from ttlib.errors import require


def seconds_per_call(function: Callable[..., Any], *inputs: Any, at_least: float = 0.2) -> float:
    """The median time of a call, repeated for ``at_least`` seconds after a warm-up; waits for the GPU."""
    require(at_least > 0, "at_least", at_least, "a positive number of seconds")
    names = {f"x{i}": value for i, value in enumerate(inputs)}
    call = f"f({', '.join(names)})"
    timer = Timer(call, globals={"f": function, **names}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=at_least).median


def bytes_kept(function: Callable[..., Any], *inputs: Any) -> int:
    """The bytes that a call keeps for its backward pass, inputs included. Storage that is kept twice counts once.

    Zero if no input or parameter requires a gradient.
    """
    kept: dict[int, int] = {}
    alive = []  # else freed storage could come back at the same address

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        function(*inputs)
    return sum(kept.values())
