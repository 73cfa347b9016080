"""bfloat16 where it is faster, by measurement."""

import contextlib
import time
from contextlib import AbstractContextManager

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def faster_dtype(device: torch.device) -> str:
    """``bfloat16`` where a matrix product of training's shape is at least 1.2 times as fast, else ``float32``.

    Takes a few hundredths of a second. CPUs with AMX or AVX-512-BF16 and CUDA devices from Ampere on
    gain several times; other CPUs emulate bfloat16 and lose.
    """
    seconds = {name: _time_matmul(device, dtype) for name, dtype in DTYPES.items()}
    return "bfloat16" if seconds["float32"] > 1.2 * seconds["bfloat16"] else "float32"


def _time_matmul(device: torch.device, dtype: torch.dtype) -> float:
    a, b = torch.ones(2048, 256, dtype=dtype, device=device), torch.ones(256, 1024, dtype=dtype, device=device)
    times = []
    for _ in range(5):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def autocast(device: torch.device, dtype: str) -> AbstractContextManager[object]:
    """Run matrix products in ``dtype`` inside a ``with``; float32 changes nothing."""
    if dtype == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, DTYPES[dtype])
