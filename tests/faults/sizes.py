"""How big an experiment is: seconds as a part of `make test`, minutes as `make faults`."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONG = os.environ.get("FAULTS", "short") == "long"
SUMMARY = Path("var/faults.md")


def size(name: str, *, short: int, long: int) -> int:
    """Give how many; the environment variable `name` wins over both forms."""
    return int(os.environ.get(name, long if LONG else short))


def seen(experiment: str, figures: str) -> None:
    """Print what an experiment saw, and keep it for the summary at the end of `make faults`."""
    sys.stdout.write(f"{experiment}: {figures}\n")
    if LONG:
        SUMMARY.parent.mkdir(exist_ok=True)
        with SUMMARY.open("a", encoding="utf-8") as summary:
            summary.write(f"- {experiment}: {figures}\n")


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Hold that the block ends in time."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took <= seconds, f"{what} took {took:.1f} s, more than {seconds} s"


def until(seconds: float, what: str) -> Iterator[float]:
    """Look again and again for a while (`for _ in until(…)` and break); says what did not happen."""
    began = time.monotonic()
    while (took := time.monotonic() - began) < seconds:
        yield took
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")
