"""torch.compile: one graph for each stack, whatever the lengths, and the same results."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "compiled.py"


@pytest.mark.slow
def test_one_graph_each_for_every_length_and_the_same_weights() -> None:
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2])}
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert (found["pre"], found["post"]) == (2, 2)
    assert found["difference"] < 1e-4
