"""Attention written out beside torch's fused kernel: forward, and forward with backward.

    python -m benchmarks.attention

On CPUs, torch 2.13's fused backward in bfloat16 is several times slower than the formula: this is why
``ttlib.nn.attention.fast_attention`` chooses.
"""

import torch

from benchmarks.timing import milliseconds
from ttlib import runtime
from ttlib.nn.attention import attention, fused_attention
from ttlib.nn.masks import padding


def row(shape: tuple[int, int, int, int], dtype: torch.dtype, device: torch.device) -> list[float]:
    """Milliseconds: forward by the formula and fused, then forward and backward by both."""
    ids = torch.ones(shape[0], shape[2], dtype=torch.long, device=device)
    ids[:, -3:] = 0
    mask = padding(ids, 0)
    q, k, v = (torch.randn(shape, device=device, dtype=dtype).requires_grad_() for _ in range(3))
    grad = torch.randn(shape, device=device, dtype=dtype)

    def formula() -> torch.Tensor:
        return attention(q, k, v, mask)[0]

    def fused() -> torch.Tensor:
        return fused_attention(q, k, v, mask)

    with torch.no_grad():
        forward = [milliseconds(formula), milliseconds(fused)]
    return forward + [
        milliseconds(lambda: torch.autograd.grad(formula(), (q, k, v), grad)),
        milliseconds(lambda: torch.autograd.grad(fused(), (q, k, v), grad)),
    ]


def main() -> None:
    """Print a table of milliseconds."""
    device = runtime.device()
    print(runtime.hardware(), "torch", torch.__version__, "threads", torch.get_num_threads())
    print(f"{'':28s} {'forward':>22s} {'forward + backward':>22s}")
    print(f"{'(B, H, T, K)':18s} {'dtype':9s} {'formula':>11s} {'fused':>10s} {'formula':>11s} {'fused':>10s}   ms")
    for shape in ((128, 4, 32, 64), (16, 4, 256, 64), (1, 4, 2048, 64)):
        for dtype in (torch.float32, torch.bfloat16):
            times = "".join(f"{t:11.2f}" for t in row(shape, dtype, device))
            print(f"{shape!s:18s} {str(dtype)[6:]:9s}{times}")


if __name__ == "__main__":
    main()
