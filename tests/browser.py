"""A headless Chromium, driven over its own debugging pipe: no driver program and no extra packages."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from select import select
from typing import Any

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PATIENCE = 30.0
"""Longest silence of the browser, in seconds, while something waits for it."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

# Chromium reads its commands from descriptor 3 and answers on 4, whatever numbers our ends of the pipes have.
# Both go up first, so that neither is overwritten where one already is 3 or 4.
ON_PIPE = """
import fcntl, os, sys
command, answer = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(command, 3)
os.dup2(answer, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(AssertionError):
    """The browser is missing, or answered with an error."""


def find_chromium() -> str:
    """Path of the browser: `CHROMIUM` in the environment, else the first one on the PATH."""
    named = os.environ.get("CHROMIUM")
    for candidate in (named,) if named else CANDIDATES:
        if path := shutil.which(candidate):
            return path
    raise BrowserError(
        f"CHROMIUM is {named!r}, which is no program"
        if named
        else f"these tests look at pages in a browser and found none of {', '.join(CANDIDATES)} on the PATH; "
        "install the package `chromium`, or set CHROMIUM to the path of one"
    )


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """A browser with an empty profile of its own, gone when the block ends."""
    chromium = find_chromium()
    command, commands = os.pipe()
    answers, answer = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", ON_PIPE, str(command), str(answer), chromium, *FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(command, answer),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(command)
        os.close(answer)
        try:
            with open(commands, "wb", buffering=0) as write, open(answers, "rb", buffering=0) as read:
                yield Browser(write, read)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Browser:
    """One tab. `problems` is what its console would show in red, `requested` every address it asked for."""

    def __init__(self, write: FileIO, read: FileIO) -> None:
        self._write, self._read = write, read
        self._sent = 0
        self._heard = b""
        self._session: str | None = None
        self._loaded = False
        self.problems: list[str] = []
        self.requested: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its answer."""
        self._sent += 1
        message: dict[str, object] = {"id": self._sent, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._sent:
                if "error" in heard:
                    raise BrowserError(f"{method}: {heard['error']['message']}")
                result: dict[str, Any] = heard["result"]
                return result

    def open(self, page: Path, width: int = 1400, height: int = 900) -> None:
        """Show a file from disk in a window of this many CSS pixels, and wait until it has loaded."""
        self.problems.clear()
        self.requested.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._loaded = False
        self.call("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._hear()

    def run(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_until(self, expression: str, seconds: float = 10.0) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(expression):
            if time.monotonic() > end:
                raise BrowserError(f"not true after {seconds} s: {expression}; problems: {self.problems}")
            time.sleep(0.05)

    def point_at(self, selector: str) -> tuple[float, float]:
        """Move the mouse to the middle of an element, as a hand would; returns the place."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        x, y = self.point_at(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press_enter(self, selector: str) -> None:
        """Give an element the keyboard and press Enter."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        for kind, text in (("keyDown", "\r"), ("keyUp", "")):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text=text,
                      windowsVirtualKeyCode=13)  # fmt: skip

    def screenshot(self) -> bytes:
        """PNG of the whole page."""
        return b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def print(self) -> bytes:
        """PDF of the page as it goes to paper (A4), without background graphics."""
        pdf = self.call("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)
        return b64decode(pdf["data"])

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._heard:
            if not select([self._read], [], [], PATIENCE)[0]:
                raise BrowserError(f"the browser has said nothing for {PATIENCE:.0f} s")
            more = self._read.read(1 << 16)
            if not more:
                raise BrowserError("the browser ended before it answered; try running it by hand")
            self._heard += more
        data, _, self._heard = self._heard.partition(b"\0")
        message: dict[str, Any] = json.loads(data)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"]["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(str(params["args"]))
        elif event == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
