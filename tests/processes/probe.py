"""In the place of the web process: tries everything that a captured one could, and writes what came of it.

Started by the supervisor exactly as web is, with web's door, environment and restrictions, and no others.
The report (run/probe.json): attempt -> "refused", or what it got.
"""

import ctypes
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from troth import config
from troth.faces.cli import process, separation
from troth.pledge.keeper import messages
from troth.pledge.keeper.policy import PURPOSES

PIDFD_OPEN, PIDFD_GETFD, PTRACE_ATTACH = 434, 438, 16
libc = ctypes.CDLL(None, use_errno=True)


def ask(door: socket.socket, question: messages.Message) -> messages.Answer:
    """One question through a door of ours. OSError if it is no door."""
    line, theirs = socket.socketpair()
    line.settimeout(5)
    with theirs:
        socket.send_fds(door, [b"c"], [theirs.fileno()])
    line.sendall(messages.frame(messages.encode(question)))
    (length,) = messages.LENGTH.unpack(line.recv(4, socket.MSG_WAITALL))
    return messages.read_answer(line.recv(length, socket.MSG_WAITALL))


def questions(record: messages.Record) -> dict[str, messages.Message]:
    """Everything by which a name could be got, or the way to one prepared."""
    opens = {
        f"open for {purpose} {how}": messages.Open([record], purpose, "deliver", capability)
        for purpose in (*PURPOSES, "")
        for how, capability in (("bare", ""), ("with an invented capability", "A" * 102))
    }
    return opens | {
        "blank": messages.Blank(1),
        "redeem": messages.Redeem(ref=record.place.ref, kind="confirm", mailbox="mallory@mark.example"),
        "note": messages.Note("event-1", {"what": "nothing"}),
        "enrol": messages.Enrol(record.place.ref, b"x" * 16, "mallory@mark.example", "a password of ours"),
    }


def sockets() -> list[socket.socket]:
    """Every socket that this process holds, by whatever way it came."""
    numbers = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    found = []
    for number in numbers:
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found.append(socket.socket(fileno=os.dup(number)))
        except OSError:
            continue
    return found


def by_doors(record: messages.Record) -> dict[str, str]:
    report = {"sockets held": str(len(sockets()))}
    for door in sockets():
        greeting = ask(door, messages.Hello())
        report["role at the door"] = getattr(greeting, "role", "none")
        for name, question in questions(record).items():
            answer = ask(door, question)
            report[f"door: {name}"] = "refused" if isinstance(answer, messages.Refusal) else repr(answer)
    return report


def by_files(settings: config.Config) -> dict[str, Callable[[], object]]:
    keyring, key, here = settings.keyring, settings.root_key, settings.home / "run"
    link = here / "link"
    return {
        "read the keyring": keyring.read_bytes,
        "read the root key": key.read_bytes,
        "read the worker's key": (settings.home / "worker.key").read_bytes,
        "write into the keeper's folder": lambda: (keyring.parent / "x").write_bytes(b"x"),
        "remove the keyring": keyring.unlink,
        "read the keyring through /proc/self/root": lambda: Path(f"/proc/self/root{keyring}").read_bytes(),
        "read the keyring by a link": lambda: (link.symlink_to(keyring), link.read_bytes()),
        "give the keyring another name": lambda: os.link(keyring, here / "hard"),
        "move the keeper's folder": lambda: keyring.parent.rename(here / "moved"),
        "let another program read it": lambda: subprocess.run(
            ["/bin/cat", str(keyring)], capture_output=True, check=True
        ),
        "change the settings": lambda: (settings.home / "troth.toml").open("a"),
        "put a new root key in place": lambda: key.with_name("other").write_bytes(b"x"),
    }


def by_neighbours() -> dict[str, Callable[[], object]]:
    """Supervisor, keeper and worker: their memory and descriptors."""
    us, above = os.getpid(), os.getppid()
    siblings = [pid for pid in children(above) if pid != us]
    tries: dict[str, Callable[[], object]] = {}
    for pid in (above, *siblings):
        who = "the supervisor" if pid == above else Path(f"/proc/{pid}/cmdline").read_text().split("\0")[-2]
        tries[f"read the memory of {who}"] = lambda pid=pid: os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        tries[f"follow a descriptor of {who}"] = lambda pid=pid: Path(f"/proc/{pid}/fd/2").readlink()
        tries[f"attach to {who}"] = lambda pid=pid: called(libc.ptrace(PTRACE_ATTACH, pid, 0, 0))
        for number in range(3, 16):
            tries[f"take descriptor {number} of {who}"] = lambda pid=pid, number=number: take(pid, number)
        tries[f"signal {who}"] = lambda pid=pid: os.kill(pid, 0)
    return tries


def take(pid: int, number: int) -> object:
    handle = called(libc.syscall(PIDFD_OPEN, pid, 0))
    try:
        return called(libc.syscall(PIDFD_GETFD, handle, number, 0))
    finally:
        os.close(handle)


def called(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def tried(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (PermissionError, subprocess.CalledProcessError):
        return "refused"
    except OSError as error:
        return f"refused otherwise: {error.strerror}"  # EXDEV for a move out of a closed folder
    return "done"


def main() -> None:
    settings = config.load()
    outcome = separation.shut_out(settings, "web")
    process.hide_memory()
    record = msgspec.msgpack.decode((settings.home / "run" / "record").read_bytes(), type=messages.Record)
    report = {"separation": outcome, **by_doors(record)}
    report |= {name: tried(attempt) for name, attempt in (by_files(settings) | by_neighbours()).items()}
    draft = settings.home / "run" / "probe.new"
    draft.write_text(json.dumps(report))
    draft.rename(settings.home / "run" / "probe.json")
    time.sleep(600)


if __name__ == "__main__":
    sys.exit(main())
