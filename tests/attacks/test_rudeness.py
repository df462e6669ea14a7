"""Nobody at one of the keeper's doors keeps those at the other waiting, however rude they are."""

from __future__ import annotations

import os
import resource
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.attacks.keeping import ALICE, SOON, VERB_NAMES, Kept, Somebody, code, example, hear, hung_up, say
from tests.campaign import rounds
from troth.pledge.keeper import doors, messages


class TestRudeness:
    """What is no question: the line is closed, the others are served."""

    @pytest.mark.parametrize(
        "sent",
        [
            b"\xff\xff\xff\xff",
            struct.pack(">I", messages.LARGEST + 1),
            struct.pack(">I", 0),
            struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1",
            messages.frame(b"\xdd\xff\xff\xff\xff"),  # an array of four thousand million things
            messages.frame(b"\x91" * 100_000),  # nested a hundred thousand deep
            messages.frame(msgspec.msgpack.encode({"type": "Open", "records": [], "purpose": 1})),
            messages.frame(msgspec.msgpack.encode({"type": "Open"})),
            messages.frame(msgspec.msgpack.encode({"type": "Everything"})),
            messages.frame(msgspec.msgpack.encode({"type": "Hello", "more": 1})),
            messages.frame(msgspec.msgpack.encode({"type": "Blank", "count": 2**63})),
            messages.frame(b'{"type": "Hello"}'),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
    )  # fmt: skip
    def test_garbage_is_refused_and_the_line_closed(self, running: Kept, sent: bytes) -> None:
        line = running.line("worker")
        line.sendall(sent)
        if sent == messages.frame(msgspec.msgpack.encode({"type": "Blank", "count": 2**63})):
            assert hear(line).code == "shape"  # well formed, too many: the line may go on
            return
        assert code(hear(line)) == "shape"
        assert hung_up(line)
        running.still_serves()

    @pytest.mark.soak
    def test_random_bytes_never_stop_the_keeper(self, running: Kept) -> None:
        from tests.campaign import draws

        random = draws("garbage at the door")
        for _ in range(rounds(100, 5000)):
            with running.line(random.choice(["web", "worker"])) as line:
                body = random.randbytes(random.randrange(200))
                line.sendall(messages.frame(body) if random.random() < 0.8 else body)
        running.still_serves()

    def test_every_value_of_a_question_may_be_huge_or_odd(self, running: Kept, victim: Somebody) -> None:
        odd = [
            "",
            "\0",
            "x" * 900_000,
            "\u202e",
            "per_" + "a" * 26,
            "../../etc/passwd",
            "'; DROP TABLE person; --",
            "@",
            "a@b\n",
        ]
        for verb in VERB_NAMES:
            whole = msgspec.to_builtins(example(verb, victim))
            for field in [name for name, value in whole.items() if isinstance(value, str) and name != "type"]:
                for value in odd:
                    body = msgspec.msgpack.encode({**whole, field: value})
                    for role in ("web", "worker"):
                        with running.line(role) as line:
                            line.sendall(messages.frame(body))
                            assert "fault" not in code(hear(line)), (verb, field, value[:20])

    def test_places_of_any_size_are_refused(self, running: Kept, victim: Somebody) -> None:
        record = victim.record()
        for part, value in (
            ("table", "x" * 70_000),
            ("row", ""),
            ("schema", 2**62),
            ("schema", -1),
            ("klass", "x" * 70_000),
        ):
            place = msgspec.structs.replace(record.place, **{part: value})
            ask = messages.Open([messages.Record(place, record.sealed)], "deliver", "deliver")
            assert code(running.ask("worker", ask)) in ("seal", "purpose", "given-before"), part

    def test_half_questions_keep_nobody_waiting(self, running: Kept) -> None:
        whole = messages.frame(messages.encode(messages.Hello()))
        lines = [running.line("web") for _ in range(50)]
        for number, line in enumerate(lines):
            line.sendall(whole[: number % len(whole)])
        running.still_serves()
        running.still_serves("web")

    def test_one_byte_at_a_time_is_answered_in_the_end(self, running: Kept) -> None:
        line = running.line("web")
        for byte in messages.frame(messages.encode(messages.Hello())):
            line.sendall(bytes([byte]))
            running.still_serves()
        assert code(hear(line)) == "Greeting"

    def test_hanging_up_in_the_middle_of_a_hash_harms_nobody(self, running: Kept) -> None:
        for _ in range(8):
            with running.line("web") as line:
                line.sendall(messages.frame(messages.encode(messages.SignIn("alice@heronsgate.example", "x" * 10))))
        running.still_serves()

    def test_two_questions_at_once_are_answered_in_order(self, running: Kept) -> None:
        line = running.line("web")
        hello, attest = messages.encode(messages.Hello()), messages.encode(messages.Attest())
        line.sendall(messages.frame(hello) + messages.frame(attest) + messages.frame(hello))
        assert [code(hear(line)) for _ in range(3)] == ["Greeting", "Attested", "Greeting"]


def held() -> int:
    """Open descriptors of this process, the keeper's among them."""
    return len(list(Path("/proc/self/fd").iterdir()))


class TestFloods:
    """A captured web process may waste its own time, and not the worker's."""

    def test_more_lines_than_descriptors_leave_the_worker_its_own(self, running: Kept) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard)
        )  # the limit of this test's process
        lines = []
        try:
            for _ in range(2 * doors.MOST_LINES):
                lines.append(running.line("web"))
            running.still_serves()
            assert running.keeper.connected["web"] <= doors.MOST_LINES
        finally:
            for line in lines:
                line.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        until = time.monotonic() + SOON
        while running.keeper.connected["web"] and time.monotonic() < until:
            time.sleep(0.01)
        running.still_serves("web")

    def test_what_is_no_socket_is_closed_at_once(self, running: Kept) -> None:
        before = held()
        for _ in range(300):
            with Path(os.devnull).open() as nothing:
                running.hand("web", nothing.fileno(), nothing.fileno())
        running.still_serves()
        running.still_serves("web")
        assert held() < before + 20

    @pytest.mark.parametrize("kind", ["listening", "datagram", "internet", "unconnected", "dead", "the door itself"])
    def test_sockets_of_another_kind_harm_nobody(self, running: Kept, kind: str) -> None:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        made = {
            "listening": lambda: socket.create_server(("127.0.0.1", 0)),
            "datagram": lambda: a,
            "internet": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "unconnected": lambda: socket.socket(socket.AF_UNIX),
            "dead": lambda: (b.close(), a)[1],
            "the door itself": lambda: running.doors["web"].dup(),
        }[kind]()
        with a, b, made:
            for _ in range(20):
                running.hand("web", made.fileno())
            if kind == "datagram":
                b.send(messages.frame(messages.encode(messages.Hello())))
            running.still_serves()
        running.still_serves("web")

    def test_a_line_that_never_listens_is_not_read_on_for_ever(self, running: Kept) -> None:
        """Answers that nobody takes must not pile up in the keeper, and questions behind them neither."""
        line = running.line("web")
        line.settimeout(0.5)
        attest = messages.frame(messages.encode(messages.Attest())) * 4000
        sent = 0
        with suppress(OSError):
            while sent < 64 << 20:
                sent += line.send(attest)
        running.still_serves()
        assert sent < 4 * messages.LARGEST  # what the kernel holds for a line, and not a byte in the keeper

    def test_a_line_that_talks_on_during_a_hash_is_not_read_on_for_ever(self, running: Kept) -> None:
        line = running.line("web")
        line.settimeout(0.5)
        line.sendall(messages.frame(messages.encode(messages.SignIn("alice@heronsgate.example", "x" * 10))))
        hello, sent = messages.frame(messages.encode(messages.Hello())) * 4000, 0
        with suppress(OSError):
            while sent < 64 << 20:
                sent += line.send(hello)
        running.still_serves()
        assert sent < 4 * messages.LARGEST

    def test_who_keeps_a_copy_of_the_line_cannot_make_the_keeper_wait_in_it(self, running: Kept) -> None:
        """O_NONBLOCK belongs to the open socket, not to the descriptor: whoever passed it can switch it off again."""
        mine, theirs = socket.socketpair()
        with mine, theirs:
            running.hand("web", theirs.fileno())
            assert code(say(mine, messages.Hello())) == "Greeting"
            theirs.setblocking(True)
            mine.setblocking(False)
            for _ in range(100):  # questions whose answers fill the line: nobody reads them
                with suppress(BlockingIOError):
                    mine.send(messages.frame(messages.encode(messages.Attest())) * 100)
                running.still_serves()

    def test_a_hundred_wrong_passwords_do_not_keep_letters_from_leaving(self, running: Kept, victim: Somebody) -> None:
        asked = [running.line("web") for _ in range(100)]
        for number, line in enumerate(asked):
            guess = messages.SignIn(f"alice{number}@heronsgate.example", "wrong password")
            line.sendall(messages.frame(messages.encode(guess)))
        began = time.monotonic()
        answer = running.ask("worker", messages.Open([victim.record()], "deliver", "deliver"))
        assert answer.values == [ALICE]
        assert time.monotonic() - began < SOON
        for line in asked:
            line.settimeout(60)
        said = [code(hear(line)) for line in asked]
        assert set(said) <= {"credentials", "busy"}
        assert "busy" in said
        assert said.count("credentials") >= doors.WAITING_HASHES

    def test_many_ask_at_once_and_each_gets_their_own_answer(self, running: Kept) -> None:
        people = [Somebody(running) for _ in range(8)]
        wrong: list[object] = []

        def ask(number: int) -> None:
            with running.line("worker") as line:
                for _ in range(20):
                    own = str(number).encode()
                    answer = say(line, messages.Open([people[number].record(value=own)], "deliver", "deliver"))
                    if not isinstance(answer, messages.Opened) or answer.values != [own]:
                        wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert running.keeper.db.execute("SELECT count(*), max(seq) + 1 FROM leaf").fetchone() == (160, 160)
