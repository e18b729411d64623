"""A real Chromium, led over its own debugging pipe: pages, keys, what it complained of, and pictures to look at.

No driver and no port: two pipes carry JSON, each message ended by a NUL. One browser serves a whole run; every test
gets a profile of its own (a browser context), which forgets cookies when it ends.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SECONDS = 20.0
FLAGS = (
    *(
        "--headless=new",
        "--remote-debugging-pipe",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-gpu",
    ),
    *(
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
    *("--hide-scrollbars", "--force-color-profile=srgb", "--disable-dev-shm-usage", "--lang=zh-CN"),
    *("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost", "--no-sandbox"),
)
PLACE = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
KEYS = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "ArrowDown": (40, ""),
    "ArrowUp": (38, ""),
    " ": (32, " "),
}


class BrowserError(AssertionError):
    """The browser did not do what it was told, or a page did not become as it should in time."""


class Chromium:
    """One running browser."""

    def __init__(self, process: "subprocess.Popen[bytes]", to: int, back: int) -> None:
        self._process, self._to, self._back = process, to, back
        self._buffer, self._last = b"", 0
        self.events: dict[str, deque[dict[str, Any]]] = {}

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; what happens meanwhile is kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        patience = time.monotonic() + SECONDS
        while time.monotonic() < patience:
            answer = self._next(patience - time.monotonic())
            if answer is None:
                continue
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise BrowserError(f"no answer to {method} in {SECONDS} s")

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """Give the next message, having kept it when it tells of something that happened."""
        while b"\0" not in self._buffer:
            if not select.select([self._back], [], [], max(0.0, seconds))[0]:
                return None
            read = os.read(self._back, 1 << 20)
            if not read:
                raise BrowserError(f"the browser ended: {self._process.poll()}")
            self._buffer += read
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        if "method" in message:
            self.events.setdefault(message.get("sessionId", ""), deque(maxlen=5000)).append(message)
        return message

    @contextmanager
    def page(self, *, width: int = 1280, height: int = 900) -> "Iterator[Page]":
        """Open a page in a profile of its own."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.resize(width, height)
        try:
            yield page
        finally:
            self.ask("Target.disposeBrowserContext", browserContextId=context)
            self.events.pop(session, None)


class Page:
    """One tab: go somewhere, press keys, read what is there."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command to this tab."""
        return self._browser.ask(method, self._session, **params)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self._mark()
        self.ask("Page.navigate", url=address)
        self.loaded()

    def _mark(self) -> None:
        self.js("window.__before = true")

    def loaded(self) -> None:
        """Wait until another page than the marked one is there whole."""
        self.until("!window.__before && document.readyState === 'complete'")

    def js(self, expression: str) -> Any:
        """Give the value of an expression."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"], ensure_ascii=False)[:2000])
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression is true, and give its value; an element is true."""
        patience = time.monotonic() + SECONDS
        while time.monotonic() < patience:
            with suppress(BrowserError):  # the page is changing under it
                value = self.js(f"(v => v instanceof Node ? true : v)({expression})")
                if value:
                    return value
            select.select([], [], [], 0.02)
        raise BrowserError(f"never came true: {expression}\n{self.js('location.href')}\n{self.text()[:1500]}")

    def submit(self, selector: str) -> None:
        """Click what leads to another page, and wait for it."""
        self._mark()
        self.click(selector)
        self.loaded()

    def click(self, selector: str) -> None:
        """Click an element where it is, as a mouse would."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.js(f"{found}?.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        self.ask(
            "Page.captureScreenshot", clip={"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1}
        )  # a frame was drawn
        place = self.js(
            f"(() => {{ const r = {found}?.getBoundingClientRect(); return r ? [r.x + r.width / 2, r.y + r.height / 2] : null }})()"
        )
        if place is None:
            raise BrowserError(f"nothing there: {selector}\n{self.text()[:1500]}")
        for kind in ("mousePressed", "mouseReleased"):
            self.ask(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
            )

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, in place of what was there."""
        self.js(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select() }})()"
        )
        self.ask("Input.insertText", text=text)

    def press(self, key: str, *, leads_away: bool = False) -> None:
        """Press one key; `leads_away`: wait for the page that it leads to."""
        if leads_away:
            self._mark()
        code, text = KEYS.get(key, (ord(key.upper()) if len(key) == 1 else 0, key if len(key) == 1 else ""))
        pressed = {
            "key": key,
            "windowsVirtualKeyCode": code,
            "code": f"Key{key.upper()}" if key.isalpha() and len(key) == 1 else key,
        }
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **pressed)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **pressed)
        if leads_away:
            self.loaded()

    def text(self) -> str:
        """Give what can be read on the page."""
        return str(self.js("document.body ? document.body.innerText : ''"))

    def complaints(self) -> list[str]:
        """Give what the browser complained of since the page was opened: scripts, refused styles, broken files."""
        self.js("1")
        found = []
        for event in self._browser.events.get(self._session, ()):
            params = event["params"]
            if event["method"] == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
                found.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"], ensure_ascii=False)[:500])
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in {
                "error",
                "warning",
                "assert",
            }:
                found.append(json.dumps(params["args"], ensure_ascii=False)[:500])
            elif event["method"] == "Page.javascriptDialogOpening":
                found.append(f"a dialog opened: {params['message']}")
        return found

    def picture(self, path: Path) -> None:
        """Take a picture of the whole page, in a window as high as it."""
        before = self.js("[innerWidth, innerHeight]")
        height = min(6000, max(before[1], self.js("document.documentElement.scrollHeight")))
        self.resize(before[0], height)
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        taken = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(taken["data"]))
        self.resize(*before)


def _pipe() -> tuple[int, int]:
    """Make a pipe whose ends are none of the descriptors that the shell is to give away."""
    low = os.pipe()
    high = fcntl.fcntl(low[0], fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(low[1], fcntl.F_DUPFD_CLOEXEC, 10)
    for one in low:
        os.close(one)
    return high


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run a browser; nothing of it is left afterwards."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise BrowserError("Chromium is missing: make engines")
    to_read, to_write = _pipe()
    back_read, back_write = _pipe()
    with TemporaryDirectory() as profile:
        # Chromium reads from descriptor 3 and writes to 4; they are put there, whatever their numbers are here.
        process = subprocess.Popen(
            [sys.executable, "-c", PLACE, str(to_read), str(back_write), program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_read, back_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(to_read)
        os.close(back_write)
        try:
            yield Chromium(process, to_write, back_read)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            os.close(to_write)
            os.close(back_read)
