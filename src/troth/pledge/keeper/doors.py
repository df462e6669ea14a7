"""The keeper's loop: one process, one thread, one durable batch for all that came meanwhile (group commit).

A door is one end of a datagram socket pair, inherited by the keeper; the other end is inherited by exactly one role.
Who holds it sends a stream socket through it (SCM_RIGHTS) and talks over that: nothing lies in the file system that
another process could connect to. With separate users a door is a listening socket instead, and the peer's uid is
checked besides. Callers are not trusted to be polite: each role has so many lines and no more, and one that talks on
without listening is hung up on, so that a captured role cannot keep the others waiting. An answer leaves after the
commit of the batch that it belongs to; if the commit fails, every answer of the batch becomes the refusal "ledger".
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import sqlite3
import struct
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper, Outcome, Pending, advance

log = logging.getLogger("troth.keeper")
HASHERS = 2  # two hashes at a time: 19 MiB each, and one core stays free for opening
WAITING_HASHES = 64  # more are refused: "busy"
BATCH = 64
MOST_LINES = 100  # of one role at a time
MOST_WAITING = messages.LENGTH.size + messages.LARGEST  # bytes that came on a line while its question is under way
# The caller may hold a copy of the socket and make it a blocking one again: O_NONBLOCK belongs to both.
AT_ONCE = socket.MSG_DONTWAIT
UCRED = struct.Struct("iII")


class Line:
    """One connection: a role, what came and was not yet read, what waits to leave."""

    def __init__(self, sock: socket.socket, role: str) -> None:
        self.sock, self.role = sock, role
        self.came, self.leaving = bytearray(), bytearray()
        self.busy = False  # one question at a time, answered in order

    def question(self) -> bytes | None:
        """The next whole message, or None. ValueError for one that is too long."""
        if len(self.came) < messages.LENGTH.size:
            return None
        (length,) = messages.LENGTH.unpack_from(self.came)
        if length > messages.LARGEST:
            raise ValueError("too long")
        end = messages.LENGTH.size + length
        if len(self.came) < end:
            return None
        body = bytes(self.came[messages.LENGTH.size : end])
        del self.came[:end]
        return body


Job = tuple[Line, Callable[[], Outcome]]


class Doors:
    def __init__(self, keeper: Keeper, doors: dict[socket.socket, tuple[str, int | None]]) -> None:
        """`doors`: socket -> (role, the only uid that may use it, or None)."""
        self._keeper, self._doors = keeper, doors
        self._selector = selectors.DefaultSelector()
        self._jobs: deque[Job] = deque()
        self._pool = ThreadPoolExecutor(HASHERS, thread_name_prefix="hash")
        self._hashing = 0
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        for sock in (*doors, self._woken):
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)

    def stop(self) -> None:
        """From a signal handler or another thread: answer what is under way, then leave run()."""
        self._stopping = True
        self._wake.send(b"x")

    def run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select(0 if self._jobs else None):
                self._ready(key, events)
            if self._jobs:
                self._work_off()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._wake.close()
        self._selector.close()

    def _ready(self, key: selectors.SelectorKey, events: int) -> None:
        if key.fileobj is self._woken:
            self._woken.recv(4096)
        elif isinstance(key.data, Line):
            if events & selectors.EVENT_WRITE:
                self._send(key.data)
                self._next(key.data)
            if events & selectors.EVENT_READ:
                self._receive(key.data)
        else:
            self._greet(key.fileobj)  # type: ignore[arg-type]

    def _greet(self, door: socket.socket) -> None:
        role, uid = self._doors[door]
        for sock in _callers(door):
            if uid is not None and _peer_uid(sock) != uid:
                log.warning("refused a caller of another user at the door of %s", role)
                sock.close()
                continue
            if self._keeper.connected[role] >= MOST_LINES:
                sock.close()
                continue
            sock.setblocking(False)
            self._keeper.connected[role] += 1
            self._selector.register(sock, selectors.EVENT_READ, Line(sock, role))

    def _receive(self, line: Line) -> None:
        try:
            data = line.sock.recv(1 << 16, AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(line)
            return
        line.came += data
        self._next(line)
        if len(line.came) > MOST_WAITING:
            self._hang_up(line)

    def _next(self, line: Line) -> None:
        """Take the line's next question, unless one is under way or an answer has not been fetched."""
        if line.busy or line.leaving:
            return
        try:
            body = line.question()
            if body is None:
                return
            question = messages.read_question(body)
        except (ValueError, msgspec.DecodeError, msgspec.ValidationError):
            self._answer(line, messages.Refusal("shape"))
            self._hang_up(line)
            return
        line.busy = True
        self._jobs.append((line, lambda: self._keeper.begin(line.role, question)))

    def _work_off(self) -> None:
        """Up to BATCH jobs in one transaction; the answers leave after its commit."""
        jobs = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
        try:
            with self._keeper.batch():
                outcomes: list[Outcome] = [self._keeper.step(act) for _, act in jobs]
        except sqlite3.Error as error:
            log.error("the keyring refused a batch: %s", error.sqlite_errorname)
            outcomes = [messages.Refusal("ledger") for _ in jobs]
        for (line, _), outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, Pending):
                self._hash(line, outcome)
            elif not isinstance(outcome, Generator):
                line.busy = False
                self._answer(line, outcome)
                self._next(line)

    def _hash(self, line: Line, pending: Pending) -> None:
        if self._hashing >= WAITING_HASHES:
            line.busy = False
            self._answer(line, messages.Refusal("busy"))
            return
        self._hashing += 1
        future = self._pool.submit(pending.work)
        future.add_done_callback(lambda done: self._hashed(line, pending, done))

    def _hashed(self, line: Line, pending: Pending, done: Future[Any]) -> None:
        """In the hasher's thread: hand the result to the loop."""
        self._hashing -= 1
        if done.cancelled():
            return
        self._jobs.append((line, lambda: advance(pending.steps, done.result())))  # a hash that failed fails in its step
        try:
            self._wake.send(b"x")
        except OSError:
            return  # the loop has ended

    def _answer(self, line: Line, answer: messages.Answer) -> None:
        line.leaving += messages.frame(messages.encode(answer))
        self._send(line)

    def _send(self, line: Line) -> None:
        try:
            while line.leaving:
                del line.leaving[: line.sock.send(line.leaving, AT_ONCE)]
        except BlockingIOError:
            pass  # the rest leaves when the line can take it
        except OSError:
            self._hang_up(line)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.leaving else 0)
        if line.sock.fileno() >= 0 and line.sock in self._selector.get_map():
            self._selector.modify(line.sock, wanted, line)

    def _hang_up(self, line: Line) -> None:
        if line.sock.fileno() >= 0:
            self._selector.unregister(line.sock)
            line.sock.close()
            self._keeper.connected[line.role] -= 1


def _callers(door: socket.socket) -> list[socket.socket]:
    """New connections: accepted from a listening door, or passed through an inherited one."""
    callers: list[socket.socket] = []
    try:
        if door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            callers.append(door.accept()[0])
        else:
            _, descriptors, _, _ = socket.recv_fds(door, 1, 4)
            callers += [line for descriptor in descriptors if (line := _line(descriptor)) is not None]
    except OSError:
        return callers  # the caller went away
    return callers


def _line(descriptor: int) -> socket.socket | None:
    """What was passed, if it is one end of a local stream; anything else is closed."""
    try:
        passed = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        return None
    if passed.family == socket.AF_UNIX and passed.type == socket.SOCK_STREAM:
        return passed
    passed.close()
    return None


def _peer_uid(sock: socket.socket) -> int:
    _, uid, _ = UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
    return int(uid)
