"""`python -m tests.attacks.as_user UID keeper|knock ...`: become that user once everything is loaded, then go on.

keeper ARGUMENTS: `troth keeper` with them. knock SOCKET: ask for a greeting at that door, and print what came of it.
"""

import codecs
import os
import socket
import sys

from troth.faces.cli.keeper import keeper
from troth.pledge.keeper import messages


def become(uid: int) -> None:
    """For good, where we are root. Elsewhere we are one user and stay it.

    Python itself may lie where only root reads: what it would fetch later is fetched now.
    """
    codecs.lookup("ascii")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def knock(path: str) -> str:
    """ "served as ROLE", "refused" where the keeper hangs up, or what the kernel said."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(path)
            line.sendall(messages.frame(messages.encode(messages.Hello())))
            head = line.recv(messages.LENGTH.size, socket.MSG_WAITALL)
            if len(head) < messages.LENGTH.size:
                return "refused"
            (length,) = messages.LENGTH.unpack(head)
            answer = messages.read_answer(line.recv(length, socket.MSG_WAITALL))
    except (ConnectionResetError, BrokenPipeError):
        return "refused"
    except OSError as error:
        return f"kept out: {error.strerror}"
    return f"served as {answer.role}" if isinstance(answer, messages.Greeting) else "no greeting"


def main() -> None:
    uid, what, *rest = sys.argv[1:]
    command = keeper.make_context("keeper", rest) if what == "keeper" else None
    become(int(uid))
    if command is None:
        print(knock(*rest))
    else:
        with command:
            keeper.invoke(command)


if __name__ == "__main__":
    main()
