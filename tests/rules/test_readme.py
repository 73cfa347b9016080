"""What the README shows as Python runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.chapters import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_python_in_the_readme_runs(block: str, tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{block}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    good, dull = eval(done.stdout)
    assert good[1] > 0.5 > dull[1]
    assert (tmp_path / "judge" / "model.safetensors").is_file()


def test_there_is_such_a_block() -> None:
    assert len(BLOCKS) == 1
