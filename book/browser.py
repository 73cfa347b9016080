"""A headless Chromium, driven through its DevTools protocol: open a page, run a script, take a picture."""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from websocket import WebSocketException, create_connection

# Chrome first: on Ubuntu, chromium may be a snap, which cannot write to a folder in /tmp.
NAMES = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--remote-debugging-port=0"),
    # Whatever a page or the browser itself asks for, nothing leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
PATIENCE = 60  # seconds until a silent browser counts as broken


def find_browser() -> str | None:
    """The first Chrome or Chromium on the path."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a fresh browser. ``events`` holds what it reports: requests, console messages, exceptions."""

    def __init__(self, program: str) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.log = Path(self.folder.name, "stderr.txt")
        command = [program, *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        self.socket: Any = None
        self.numbers = itertools.count(1)
        self.session = ""
        self.events: list[dict[str, Any]] = []
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        port, path = self._address()
        self.socket = create_connection(f"ws://127.0.0.1:{port}{path}", timeout=PATIENCE, suppress_origin=True)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def _address(self) -> tuple[str, str]:
        """The port and path that the browser writes down when it is ready."""
        file = Path(self.folder.name, "DevToolsActivePort")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if file.is_file() and len(lines := file.read_text().split()) == 2:
                return lines[0], lines[1]
            time.sleep(0.05)
        said = self.log.read_text(errors="replace")[-1000:]
        raise RuntimeError(f"{self.process.args[0]!r} did not start (exit code {self.process.poll()}): {said}")

    def call(self, method: str, **parameters: Any) -> Any:
        """Send one command and wait for its answer; what else arrives becomes an event."""
        number = next(self.numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        self.socket.send(json.dumps(message | ({"sessionId": self.session} if self.session else {})))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a page at this size and wait until it, its scripts and its mathematics are ready."""
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError(f"{url}: {answer['errorText']}")
        loaded = {"loaderId": answer["loaderId"], "name": "load"}
        self.wait_for_event("Page.lifecycleEvent", lambda said: loaded.items() <= said.items())
        self.run("window.MathJax?.startup?.promise?.then(() => true) ?? true")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the screen; a narrow one is a phone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression (a promise is awaited)."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 30) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"not true within {seconds} seconds: {condition}")
            time.sleep(0.05)

    def wait_for_event(self, method: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the browser has reported something, perhaps already before this call."""
        while not any(e["method"] == method and wanted(e["params"]) for e in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def picture(self, top: int = 0) -> bytes:
        """A PNG of what the screen shows when the page is scrolled down to ``top`` (or as far as it goes)."""
        # Two frames: one lays the page out anew, one has been drawn when the second begins.
        drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        self.run(f"scrollTo({{top: {top}, behavior: 'instant'}}); {drawn}")
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def close(self) -> None:
        """End the browser and remove its folder."""
        try:
            if self.socket is None:
                self.process.kill()
            else:
                self.session = ""
                self.call("Browser.close")
                self.process.wait(PATIENCE)
        except (OSError, RuntimeError, ValueError, WebSocketException, subprocess.TimeoutExpired):
            self.process.kill()
        if self.socket is not None:
            self.socket.close()
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
