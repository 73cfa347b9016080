"""Our dropout beside torch's, on the CPU: forward on activations of a training batch.

python -m benchmarks.dropout
"""

import torch
from torch.nn import functional as F

from benchmarks.timing import milliseconds
from ttlib import runtime
from ttlib.nn.dropout import Dropout


def compare(x: torch.Tensor) -> tuple[float, float]:
    """Milliseconds of torch's dropout and of ours."""
    ours = Dropout(0.2)
    return milliseconds(lambda: F.dropout(x, 0.2, True)), milliseconds(lambda: ours(x))


def main() -> None:
    """Print milliseconds."""
    print(runtime.hardware(), "torch", torch.__version__, "threads", torch.get_num_threads())
    for dtype in (torch.float32, torch.bfloat16):
        a, b = compare(torch.randn(128, 32, 256, dtype=dtype))
        print(f"{str(dtype)[6:]:9s} torch {a:6.2f} ms, ttlib {b:6.2f} ms, {a / b:.1f} ×")


if __name__ == "__main__":
    main()
