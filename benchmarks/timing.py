"""Time a function: the median of several runs after a warm-up."""

import statistics
import time
from collections.abc import Callable


def milliseconds(function: Callable[[], object], repeats: int = 15) -> float:
    """Median wall time of one call, in milliseconds."""
    for _ in range(3):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
