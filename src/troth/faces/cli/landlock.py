"""Landlock: a process gives up the files it shall not touch, for good and for all it starts (Linux 5.13 and later).

Numbers and structures from the kernel's include/uapi/linux/landlock.h. Landlock allows what is listed and refuses the
rest; a folder's rule covers everything beneath it, and cannot leave a part out. From version 6 on the process also
cannot signal processes outside; in every version it cannot look into their memory or take their descriptors (ptrace).
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from troth.faces.cli import process

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FIRST = (1 << 13) - 1  # every right of version 1
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _EXECUTE | _READ_FILE | _READ_DIR | _IOCTL_DEV
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1


class LandlockError(OSError):
    """The kernel has Landlock and refused a step; nothing was restricted."""


def version() -> int:
    """The kernel's Landlock version; 0 where there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, _syscall(_CREATE, None, 0, _VERSION_FLAG))


def restrict(read: Iterable[Path], write: Iterable[Path], names: Iterable[Path] = ()) -> None:
    """Leave this process reading and executing beneath `read`, everything beneath `write`, listing folders beneath
    `names`, and nothing else.

    Call it while the process has one thread: a thread started before keeps its rights. Paths that vanish meanwhile
    are passed over. Raises LandlockError.
    """
    known = version()
    rights = (
        _FIRST | (_REFER if known >= 2 else 0) | (_TRUNCATE if known >= 3 else 0) | (_IOCTL_DEV if known >= 5 else 0)
    )
    attributes = struct.pack("QQQ", rights, 0, _ABSTRACT_SOCKETS | _SIGNALS)[: 24 if known >= 6 else 8]
    rules = _checked(_syscall(_CREATE, attributes, len(attributes), 0))
    try:
        for paths, allowed in ((read, _READ & rights), (write, rights), (names, _READ_DIR)):
            for path in paths:
                _allow(rules, path, allowed)
        if not process.no_new_privileges():
            raise LandlockError("the kernel did not take PR_SET_NO_NEW_PRIVS")
        _checked(_syscall(_RESTRICT, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, allowed: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= _OF_FILES
        _checked(_syscall(_ADD, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, descriptor), 0))
    finally:
        os.close(descriptor)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise LandlockError(number, os.strerror(number))
    return result


def _syscall(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(ctypes.c_long(number), *(_plain(argument) for argument in arguments)))


def _plain(argument: object) -> object:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument
