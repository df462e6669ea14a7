"""The doors between the keeper and each role, as `troth serve` makes them: socket pairs that nobody else can reach.

The supervisor keeps both ends open, so that a keeper or a role that is started again finds the same door, and a
question asked meanwhile waits in it.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.policy import ROLES

VARIABLE = "TROTH_DOORS"  # the keeper's ends: "web:5,worker:6"


class Doorways:
    """`keepers[role]` and `roles[role]`: the two ends of the role's door. Hand each to its process alone."""

    def __init__(self) -> None:
        self.keepers: dict[str, socket.socket] = {}
        self.roles: dict[str, socket.socket] = {}
        for role in ROLES:
            self.keepers[role], self.roles[role] = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def keepers_variable(self) -> str:
        """What VARIABLE is to say to the keeper."""
        return ",".join(f"{role}:{end.fileno()}" for role, end in self.keepers.items())

    def answers(self, role: str, seconds: float, alive: Callable[[], bool]) -> bool:
        """Whether the keeper answers a greeting through the door of `role` within `seconds`, while it is `alive`."""
        line, theirs = socket.socketpair()
        with line, theirs:
            socket.send_fds(self.roles[role], [b"c"], [theirs.fileno()])
            theirs.close()
            line.sendall(messages.frame(messages.encode(messages.Hello())))
            deadline = time.monotonic() + seconds
            while not select.select([line], [], [], 0.05)[0]:
                if not alive() or time.monotonic() > deadline:
                    return False
            return _is_greeting(line, role)

    def close(self) -> None:
        for end in (*self.keepers.values(), *self.roles.values()):
            end.close()


def listen(path: Path) -> socket.socket:
    """A door for a separate user: a socket in the file system, whose uid is checked as well."""
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    path.chmod(0o666)  # the folder and the uid check decide; a mode alone never does
    door.listen(64)
    return door


def _is_greeting(line: socket.socket, role: str) -> bool:
    line.settimeout(1)
    try:
        (length,) = messages.LENGTH.unpack(line.recv(messages.LENGTH.size, socket.MSG_WAITALL))
        answer = messages.read_answer(line.recv(length, socket.MSG_WAITALL))
    except (OSError, ValueError, struct.error, msgspec.MsgspecError):  # what answers is no keeper
        return False
    return isinstance(answer, messages.Greeting) and answer.role == role
