"""A progress line: live while it runs, one plain line in what is stored."""

import sys
import time
from types import TracebackType


class Progress:
    """``with Progress("training", 500) as progress: … progress.update(step, "loss 3.2")``.

    In a notebook the line is a display that is updated in place, so a stored notebook holds its last state
    as plain text (a widget would need scripts from the net). In a terminal it is rewritten; in a log file
    only the last line is printed.
    """

    def __init__(self, title: str, total: int, every: float = 0.5, enabled: bool = True) -> None:
        self.title, self.total, self.every, self.enabled = title, total, every, enabled
        self.start = self.shown = time.perf_counter()
        self.line = ""
        self.handle = _notebook_display() if enabled else None

    def update(self, done: int, note: str = "") -> None:
        """Show how far it is, at most every half second."""
        now = time.perf_counter()
        seconds = now - self.start
        left = seconds / max(done, 1) * (self.total - done)
        self.line = f"{self.title}: {done:,}/{self.total:,}, {clock(seconds)}"
        self.line += (f", {clock(left)} to go" if done < self.total else "") + (f", {note}" if note else "")
        if now - self.shown >= self.every and self.enabled:
            self.shown = now
            self._show(final=False)

    def _show(self, final: bool) -> None:
        if self.handle is not None:
            self.handle.update(_Plain(self.line))
        elif sys.stdout.isatty():
            print("\r\x1b[K" + self.line, end="\n" if final else "", flush=True)
        elif final:
            print(self.line, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the last line."""
        if self.enabled and self.line:
            self._show(final=True)


class _Plain:
    """Text that a notebook stores as plain text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _notebook_display():  # type: ignore[no-untyped-def]
    """A display that can be updated, inside Jupyter or Colab; else None."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:  # only imported
        return None
    return display(_Plain("…"), display_id=True)


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"
