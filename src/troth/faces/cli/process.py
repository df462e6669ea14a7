"""What a process asks of the Linux kernel about itself (prctl(2)). Elsewhere nothing happens and False is told."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38


def die_with(parent: int) -> bool:
    """End at once when the process `parent`, which started this one, ends. For use between fork and exec, too."""
    done = _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)
    return done


def hide_memory() -> bool:
    """No core file, and no look into memory or descriptors by other processes of the same user (root can)."""
    return _prctl(_DUMPABLE, 0)


def no_new_privileges() -> bool:
    """No program that is started from here gains rights, by setuid or otherwise. Cannot be taken back."""
    return _prctl(_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
