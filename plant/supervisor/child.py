"""Becomes a program that ends when its parent does: `python child.py PROGRAM ARGUMENTS...`.

Between a supervisor that is killed without warning and the programs it started stands nothing but this.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # Source: prctl(2); kept across exec


def die_with_parent(parent: int, with_signal: int = signal.SIGKILL) -> None:
    """Asks the kernel to send this process a signal when its parent ends; where it cannot, nothing changes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the request
            os.kill(os.getpid(), with_signal)


if __name__ == "__main__":
    die_with_parent(os.getppid())
    os.execvp(sys.argv[1], sys.argv[1:])
