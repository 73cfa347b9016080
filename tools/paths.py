"""Finds paths of somebody's machine in what others will read."""

import re
from pathlib import Path

from tools.chapters import ROOT

HOMES = r"(?<![\w.~:/-])/(?:tmp|home|root|Users|content|var/folders)/[\w.-]+"


def machine_paths(text: str, root: Path = ROOT) -> list[str]:
    """Paths below a home or temporary folder, or below this checkout."""
    here = re.escape(f"{root.resolve()}/") + r"[\w.-]*"
    return sorted(set(re.findall(f"{HOMES}|{here}" if len(root.resolve().parts) > 2 else HOMES, text)))
