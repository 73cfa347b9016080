"""What this run runs on, at which size, and from which seed."""

import contextlib
import os
import platform
import random
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch

from ttlib import __version__
from ttlib.errors import require

PRESETS = ("ci", "cpu", "gpu")
Value = TypeVar("Value")


def preset() -> str:
    """The size of this run: the environment variable ``TTLIB_PRESET``, else ``gpu`` or ``cpu`` by the device found.

    ``ci`` takes seconds and proves that everything runs, ``cpu`` takes minutes and shows the effect,
    ``gpu`` is the real thing. The code is the same at all three; only sizes and steps differ.

    Raises:
        InputError: the variable holds another word.
    """
    name = os.environ.get("TTLIB_PRESET") or ("gpu" if torch.cuda.is_available() else "cpu")
    require(name in PRESETS, "TTLIB_PRESET", name, f"one of {', '.join(PRESETS)}")
    return name


def choose(*, ci: Value, cpu: Value, gpu: Value) -> Value:
    """The value for the preset of this run: ``steps = choose(ci=20, cpu=300, gpu=3000)``."""
    return {"ci": ci, "cpu": cpu, "gpu": gpu}[preset()]


def device() -> torch.device:
    """CUDA where there is one, else the CPU. ``TTLIB_DEVICE`` overrides it."""
    return torch.device(os.environ.get("TTLIB_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu"))


def seed_everything(seed: int) -> None:
    """Seed Python's and torch's generators (on every device)."""
    random.seed(seed)
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """Where torch's generators stand (on every device), for `restore_random_state`."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"rng": torch.get_rng_state(), "cuda_rng": cuda}


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Put torch's generators back where they stood. Those of CUDA devices that are not here are left out."""
    torch.set_rng_state(state["rng"])
    if state["cuda_rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda_rng"])


@contextlib.contextmanager
def eval_mode(model: torch.nn.Module) -> Iterator[None]:
    """Evaluate inside a ``with``: dropout off, no gradients; the model's mode is put back after."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def hardware() -> str:
    """The machine in words, such as ``2 cores of AMD EPYC`` or ``NVIDIA A100``."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{os.cpu_count()} cores of {name}"


def describe() -> dict[str, str]:
    """What made this run's outputs: preset, hardware and versions. Stored beside outputs and checkpoints."""
    return {
        "preset": preset(),
        "hardware": hardware(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ttlib": __version__,
    }
