"""A progress bar on a terminal's stderr; a line at the beginning and the end where nobody watches."""

import sys
import time
from typing import TextIO

WIDTH = 30


class Progress:
    """Shows how far something is: call it with 0 to 1, and `close` it."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream or sys.stderr
        self._watched = self._stream.isatty()
        self._began = time.monotonic()
        self._shown = -1
        if not self._watched:
            self._stream.write(f"{title} …\n")
            self._stream.flush()

    def __call__(self, done: float) -> None:
        percent = int(done * 100)
        if not self._watched or percent == self._shown:
            return
        self._shown = percent
        filled = int(done * WIDTH)
        bar = "█" * filled + "·" * (WIDTH - filled)
        self._stream.write(f"\r{self._title} {bar} {percent:3d}%")
        self._stream.flush()

    def close(self, said: str) -> None:
        """End the bar with a sentence and the seconds that it took."""
        seconds = time.monotonic() - self._began
        head = "\r\033[K" if self._watched else ""
        self._stream.write(f"{head}{self._title}：{said}（{seconds:.1f} s）\n")
        self._stream.flush()
