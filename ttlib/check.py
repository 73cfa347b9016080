"""Checks that chapters run in front of the reader."""

import copy
from typing import Any

import torch
from torch import nn

from ttlib.errors import InputError


def same_output(ours: nn.Module, theirs: nn.Module, inputs: tuple[Any, ...], tolerance: float = 1e-10) -> float:
    """Prove that two modules are one function: load our weights into theirs, compare in float64.

    Works on copies: neither module is changed. Ours gets random weights of standard deviation 0.3 first, since
    with tiny ones every softmax is flat and errors hide. Returns the largest difference.

    Raises:
        InputError: the parameters' names or shapes differ, or the outputs do.
    """
    ours, theirs = copy.deepcopy(ours).double().eval(), copy.deepcopy(theirs).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in ours.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) * 0.3)
    try:
        theirs.load_state_dict(ours.state_dict(), strict=True)
    except RuntimeError as error:
        raise InputError(f"state_dict: ours does not load into {type(theirs).__name__}: {error}") from error
    args = tuple(x.double() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs)
    with torch.no_grad():
        a, b = first(ours(*args)), first(theirs(*args))
    difference = float((a - b).abs().max()) if a.shape == b.shape else float("inf")
    if not difference <= tolerance:
        raise InputError(f"outputs: differ by {difference:.2e}, need at most {tolerance:.0e}")
    return difference


def first(output: Any) -> torch.Tensor:
    """The output tensor of a module that may return (output, weights)."""
    return output[0] if isinstance(output, tuple) else output


def expect(name: str, value: float, expected: tuple[float, float] | None) -> None:
    """Compare a result with what the book says you should get, ``(number, tolerance)``, and print both.

    ``None`` stands for a preset at which nobody has measured it yet.

    Raises:
        AssertionError: the value is further off than the tolerance.
    """
    if expected is None:
        print(f"{name}: {value:.4g} (not measured at this preset before: yours is the first)")
        return
    line = f"{name}: {value:.4g}, expected {expected[0]:g} ± {expected[1]:g}"
    assert abs(value - expected[0]) <= expected[1], line
    print(line, "✓")
