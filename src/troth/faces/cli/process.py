"""What a process asks of the kernel (prctl(2): elsewhere nothing happens and False is told) and of Python itself."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys

_PDEATHSIG, _GET_DUMPABLE, _DUMPABLE, _NO_NEW_PRIVS, _GET_NO_NEW_PRIVS = 1, 3, 4, 38, 39


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


def shut_in() -> dict[str, bool]:
    """What the kernel says of this process now: "memory" is hidden, it has "no new privileges". Empty but on Linux."""
    if sys.platform != "linux":
        return {}
    ask = ctypes.CDLL(None).prctl
    return {
        "memory": ask(_GET_DUMPABLE, 0, 0, 0, 0) == 0,
        "no new privileges": ask(_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
    }


def keep_what_is_loaded() -> None:
    """What is in memory now stays: the collector of cycles looks at it no more, and at the rest less often.

    Saves a tenth of a request's CPU time, and memory that forked processes share stays shared.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 20)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
