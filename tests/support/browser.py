"""A real browser for the tests: headless Chromium, controlled over a pipe with the standard library.

It uses the DevTools protocol: JSON messages that end in a zero byte, in on descriptor 3, out on 4. No
port is opened, and no host name is resolved, so that nothing can leave the machine.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60.0

# The pipe must have the descriptors 3 and 4 in the browser, whatever they are here.
LAUNCH = """
import os, sys
a, b = int(sys.argv[1]), int(sys.argv[2])
b = os.dup(b) if b == 3 else b
os.dup2(a, 3)
os.dup2(b, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""

Message = dict[str, Any]


@contextmanager
def opened(page: Path, profile: Path) -> Iterator[Browser]:
    """A browser with a page open in it; `profile` is a folder of its own."""
    program = chromium()
    assert program is not None
    with Browser(program, profile) as browser:
        browser.screen(1200, 900)
        browser.open(page)
        yield browser


def chromium() -> str | None:
    """The browser's program, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A page in a browser, with its messages and requests.

    Attributes:
        complaints: Console messages, exceptions and log entries, violations of the policy among them.
        requests: The addresses of all requests.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._buffer = b""
        self._waiting: list[Message] = []
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), program, *options],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Message:
        """Send a command to the browser and return its result."""
        self._number += 1
        message: Message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda found: found.get("id") == self._number)
        assert "error" not in answer, answer
        result: Message = answer["result"]
        return result

    def open(self, path: Path) -> None:
        """Open a page from a file and wait until it is loaded."""
        self._waiting.clear()
        self.call("Page.navigate", url=path.as_uri())
        self._wait(lambda found: found.get("method") == "Page.loadEventFired")
        self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")

    def requests_beside(self, page: Path) -> list[str]:
        """What was asked for, but for the page itself."""
        return [url for url in self.requests if url not in {page.as_uri(), "about:blank", "data:,"}]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key where the focus is."""
        code = {"Enter": 13, " ": 32}[key]
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text="\r" if key == "Enter" else key, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def screen(self, width: int, height: int, *, scheme: str = "light") -> None:
        """Emulate a screen of this size with this colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def _wait(self, wanted: Callable[[Message], bool]) -> Message:
        """The first message that is wanted; all messages on the way are recorded."""
        deadline = time.monotonic() + SECONDS
        while True:
            for place, message in enumerate(self._waiting):
                if wanted(message):
                    del self._waiting[place]
                    return message
            ready, _, _ = select.select([self._in], [], [], max(deadline - time.monotonic(), 0))
            data = os.read(self._in, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError(f"no message from the browser; exit status {self._process.poll()}")
            *whole, self._buffer = (self._buffer + data).split(b"\0")
            for each in whole:
                message = json.loads(each)
                self._note(message)
                self._waiting.append(message)

    def _note(self, message: Message) -> None:
        """Record messages of the console and requests."""
        method, parameters = message.get("method"), message.get("params", {})
        if method in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}:
            self.complaints.append(json.dumps(parameters))
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
