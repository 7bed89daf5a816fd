"""Become a command that the kernel ends when the one who started it is gone, however hard. See prctl(2).

Run as a script: to set this between fork and exec would run Python in a child that may have had threads.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - no shell is wanted
