"""What this book adds to jupyter-book 1.x: mends of its theme, and the list of ttlib's modules."""

import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>.*?</script>", re.S)


class Modules(SphinxDirective):
    """``{ttlib-modules}``: a section for every module that the package has now."""

    def run(self) -> list[nodes.Node]:
        """Write one ``automodule`` a module, under a heading with its name."""
        parent = nodes.section()
        lines: list[str] = []
        for name in module_names():
            lines += [f"## `{name}`", "", "```{eval-rst}", f".. automodule:: {name}", "   :members:", "```", ""]
        self.state.nested_parse(StringList(lines, source=self.get_source_info()[0]), self.content_offset, parent, True)
        return parent.children


def module_names() -> list[str]:
    """Ttlib's modules, packages without code left out, in order of their path."""
    found = pkgutil.walk_packages([str(ROOT / "ttlib")], "ttlib.")
    return sorted(m.name for m in found if not m.ispkg and not m.name.endswith("__main__"))


def add_static_folders(app: Sphinx, config: Config) -> None:
    """Serve MathJax from here. Added late: what stands in _config.yml would be put on every page, file by file."""
    config.html_static_path.append(str(ROOT / "book" / "vendored"))


def drop_repeated_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The theme emits each inline script twice, which is an error in JavaScript (a const declared again)."""
    kept: list[Any] = []
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        if body is None or all(getattr(other, "attributes", {}).get("body") != body for other in kept):
            kept.append(script)
    context["script_files"] = kept


def rename_repeated_figures(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """A figure that a chapter shows twice has the same ids twice; give every further copy ids of its own."""
    copies: dict[str, int] = {}

    def rename(figure: re.Match[str]) -> str:
        svg = figure[0]
        for prefix in sorted(set(re.findall(r"\btt[0-9a-f]{8}-", svg))):
            copies[prefix] = copies.get(prefix, 0) + 1
            if copies[prefix] > 1:
                svg = svg.replace(prefix, f"{prefix[:-1]}.{copies[prefix]}-")
        return svg

    context["body"] = re.sub(r"<svg\b.*?</svg>", rename, context.get("body", ""), flags=re.S)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it."""
    sys.path.insert(0, str(ROOT))
    app.add_directive("ttlib-modules", Modules)
    app.connect("config-inited", add_static_folders)
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("html-page-context", rename_repeated_figures, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
