"""The keeper's doors: a thread for each line reads and answers, one loop works all questions off in durable batches.

A door is one end of a datagram socket pair, inherited by the keeper; the other end is inherited by exactly one role.
Who holds it sends a stream socket through it (SCM_RIGHTS) and talks over that: nothing lies in the file system that
another process could connect to. With separate users a door is a listening socket instead, and the peer's uid is
checked besides. Callers are not trusted to be polite: each role has so many lines and no more, and a line is not read
on before its last answer is fetched, so that a captured role keeps nobody waiting but itself. An answer leaves after
the commit of the batch that it belongs to; if the commit fails, every answer of the batch is the refusal "ledger".
"""

import logging
import os
import select
import socket
import struct
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import BinaryIO

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import rest
from troth.pledge.keeper.keeper import Act, Keeper, Outcome, Pending, advance

log = logging.getLogger("troth.keeper")
HASHERS = 2  # two hashes at a time: 19 MiB each, and one core stays free for opening
WAITING_HASHES = 64  # more are refused: "busy"
BATCH = 64  # steps in one transaction
MOST_LINES = 100  # of one role at a time


class Doors:
    """`doors`: socket -> (role, the only uid that may use it, or None)."""

    def __init__(self, keeper: Keeper, doors: dict[socket.socket, tuple[str, int | None]]) -> None:
        self._keeper, self._doors = keeper, doors
        self._asked: SimpleQueue[tuple[Act, SimpleQueue[Outcome]] | None] = SimpleQueue()
        self._hashing, self._waiting = threading.Semaphore(HASHERS), threading.Semaphore(HASHERS + WAITING_HASHES)
        self._counting, self._ended = threading.Lock(), False
        self._woken, self.wake = socket.socketpair()
        for sock in (*doors, self.wake):
            sock.setblocking(False)

    def stop(self) -> None:
        """From another thread: answer what is under way, then leave run(). For a signal, `wake` is written to."""
        self.wake.send(b"x")

    def run(self) -> None:
        threading.Thread(target=self._welcome, name="doors", daemon=True).start()
        while self._work_off():
            pass
        self._ended = True
        self.wake.close()

    def _work_off(self) -> bool:
        """Wait for a question; work off all that came meanwhile in one transaction. False when told to stop."""
        asked = [self._asked.get()]
        while len(asked) < BATCH and not self._asked.empty():
            asked.append(self._asked.get())
        steps = [step for step in asked if step is not None]
        outcomes = self._keeper.work_off([act for act, _ in steps]) if steps else []
        for (_, answered), outcome in zip(steps, outcomes, strict=True):
            if isinstance(outcome, Pending) and outcome.work is rest:
                self._asked.put((partial(advance, outcome.steps, None), answered))  # behind who asked meanwhile
            else:
                answered.put(outcome)
        return len(steps) == len(asked)

    def _welcome(self) -> None:
        """New lines, until told to stop. The lines there are end with the process, or when their callers hang up."""
        while self._woken not in (ready := select.select([*self._doors, self._woken], [], [])[0]):
            for door in ready:
                for sock in _callers(door):
                    if not self._begin(sock, *self._doors[door]):
                        sock.close()
        self._asked.put(None)
        for door in (*self._doors, self._woken):
            door.close()

    def _begin(self, sock: socket.socket, role: str, uid: int | None) -> bool:
        """A thread for a line, unless it is another user's, or one too many."""
        if uid is not None and _peer_uid(sock) != uid:
            log.warning("refused a caller of another user at the door of %s", role)
            return False
        with self._counting, suppress(RuntimeError):  # no more threads to be had: one too many
            if self._keeper.connected[role] < MOST_LINES:
                threading.Thread(target=self._serve, args=(sock, role), daemon=True).start()
                self._keeper.connected[role] += 1
                return True
        return False

    def _serve(self, sock: socket.socket, role: str) -> None:
        """One line: question and answer in turn, until either side hangs up."""
        answered: SimpleQueue[Outcome] = SimpleQueue()
        try:
            sock.setblocking(True)
            heard = sock.makefile("rb")
            while (body := _question(heard)) is not None:
                outcome = self._act(partial(self._keeper.begin, role, messages.read_question(body)), answered)
                while isinstance(outcome, Pending):
                    outcome = self._act(self._hashed(outcome), answered)
                _say(sock, outcome)
        except (ValueError, msgspec.DecodeError):
            with suppress(OSError):
                _say(sock, messages.Refusal("shape"))
        except OSError:
            pass  # the caller went away, or plays with its copy of the socket; or the loop has ended
        finally:
            with self._counting:
                self._keeper.connected[role] -= 1
            sock.close()

    def _act(self, act: Act, answered: SimpleQueue[Outcome]) -> Outcome:
        """One step, in the loop's next batch."""
        if self._ended:
            raise ConnectionError
        self._asked.put((act, answered))
        return answered.get()

    def _hashed(self, pending: Pending) -> Act:
        """Do slow work in its turn; what goes on with its result. Refused "busy" where too many wait already."""
        if not self._waiting.acquire(blocking=False):
            return _busy
        try:
            with self._hashing:
                return partial(advance, pending.steps, pending.work())
        finally:
            self._waiting.release()


def _busy() -> Outcome:
    raise messages.Refused("busy")


def _say(sock: socket.socket, answer: messages.Answer) -> None:
    sock.sendall(messages.frame(messages.encode(answer)))


def _question(heard: BinaryIO) -> bytes | None:
    """The next whole message, or None where the caller has hung up. ValueError for one that is too long."""
    if len(head := heard.read(messages.LENGTH.size)) < messages.LENGTH.size:
        return None
    (length,) = messages.LENGTH.unpack(head)
    if length > messages.LARGEST:
        raise ValueError("too long")
    return heard.read(length)


def _callers(door: socket.socket) -> list[socket.socket]:
    """New connections: accepted from a listening door, or passed through an inherited one."""
    with suppress(OSError):  # the caller went away
        if door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return [door.accept()[0]]
        return [line for descriptor in socket.recv_fds(door, 1, 4)[1] if (line := _line(descriptor))]
    return []


def _line(descriptor: int) -> socket.socket | None:
    """What was passed, if it is a socket; of whatever kind, it wastes one line of its role's own at worst."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        return None


def _peer_uid(sock: socket.socket) -> int:
    return int(struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])  # unix(7): ucred
