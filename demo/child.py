"""Becomes the WSGI server or the sealer; asks the kernel first to be told when its parent is gone, so that nothing is left behind."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Replace this process by the program that its arguments name."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before the kernel knew
        raise SystemExit(1)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  (the command that demo.serving wrote)


if __name__ == "__main__":
    main()
