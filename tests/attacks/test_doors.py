"""Who holds web's door opens nobody, and nobody at one door keeps those at the other waiting."""

from __future__ import annotations

import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as extent
from hypothesis import strategies as st

from tests.attacks.keeping import ALICE, SOON, Kept, Somebody, code, hear, hung_up, kept, say
from tests.campaign import rounds
from troth.pledge import clock
from troth.pledge.keeper import capabilities, doors, messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.policy import BY_DOOR, OPENS, PURPOSES, VERBS

QUESTIONS = msgspec.inspect.type_info(messages.Question).types
VERB_NAMES = {question.cls.__name__ for question in QUESTIONS}


@pytest.fixture
def running(keeper: Keeper) -> Iterator[Kept]:
    keeper._clock = keeper._opening._clock = keeper._credentials._clock = clock.now  # so that tests may travel
    with kept(keeper) as running:
        yield running
    clock.travel(timedelta())


@pytest.fixture
def alice(running: Kept) -> Somebody:
    return Somebody(running, "alice@heronsgate.example")


@pytest.fixture
def mallory(running: Kept) -> Somebody:
    return Somebody(running, "mallory@evil.example")


def example(verb: str, alice: Somebody) -> messages.Message:
    """A well-formed question of each verb, about Alice."""
    told = {
        "Hello": messages.Hello(),
        "Blank": messages.Blank(1),
        "Enrol": messages.Enrol(alice.ref, b"x" * 16, "alice@heronsgate.example", "heron and lantern"),
        "SignIn": messages.SignIn("alice@heronsgate.example", "a wrong password"),
        "Recover": messages.Recover("alice@heronsgate.example"),
        "Redeem": messages.Redeem(ref=alice.ref, kind="confirm"),
        "Prove": messages.Prove("ticket", "secret"),
        "Change": messages.Change("capability", "password", "another password"),
        "Open": messages.Open([alice.record()], "deliver", "deliver"),
        "Note": messages.Note("event-1", {"what": "nothing"}),
        "Attest": messages.Attest(),
    }
    if verb in told:
        return told[verb]
    # A verb that came later: its fields filled with something of the right type.
    kind = getattr(messages, verb)
    about = {field.name: _something(field.type, alice) for field in msgspec.inspect.type_info(kind).fields}
    return msgspec.convert({"type": verb, **about}, kind)


def _something(kind: msgspec.inspect.Type, alice: Somebody) -> object:
    made = {
        msgspec.inspect.StrType: alice.ref,
        msgspec.inspect.IntType: 1,
        msgspec.inspect.ListType: [],
        msgspec.inspect.BytesType: b"x",
        msgspec.inspect.DictType: {},
        msgspec.inspect.BoolType: True,
    }
    return made[type(kind)]


def test_a_verb_of_the_other_role_is_refused_at_the_door(running: Kept, alice: Somebody) -> None:
    tried = 0
    for role, verbs in VERBS.items():
        for verb in VERB_NAMES - verbs:
            tried += 1
            assert code(running.ask(role, example(verb, alice))) == "door", (role, verb)
    assert tried >= 7
    assert {"Blank", "Redeem", "Note"} <= VERB_NAMES - VERBS["web"]
    assert {"SignIn", "Enrol", "Prove", "Change", "Recover"} <= VERB_NAMES - VERBS["worker"]


def test_no_verb_of_webs_answers_with_something_about_alice(running: Kept, alice: Somebody) -> None:
    quiet = {"Greeting", "Ticket", "Attested", "door", "secret", "credentials", "ticket", "capability", "purpose"}
    for verb in VERB_NAMES:
        answer = running.ask("web", example(verb, alice))
        assert code(answer) in quiet, verb
        assert alice.ref not in repr(answer)


def test_the_worker_opens_for_its_purposes_only(running: Kept, alice: Somebody) -> None:
    opened = set()
    for klass, purpose in OPENS:
        record = alice.record(klass)
        for capability in ("", alice.capability):
            answer = running.ask("worker", messages.Open([record], purpose, "deliver", capability))
            if isinstance(answer, messages.Opened) and not capability:
                opened.add((klass, purpose))
    assert opened == {pair for pair in OPENS if pair[1] in BY_DOOR["worker"]}
    assert {purpose for _, purpose in opened} == {"deliver", "notice", "bill"}


def stolen(running: Kept, alice: Somebody, mallory: Somebody) -> dict[str, str]:
    """Capabilities that are none for Alice's data."""
    raw, epoch, _ = capabilities.read(running.keeper._keys.capability, alice.capability, 0)
    now, key = int(clock.now().timestamp()), running.keeper._keys.capability
    return {
        "none": "",
        "Mallory's own": mallory.capability,
        "Alice's with Mallory's signature": alice.capability[:50] + mallory.capability[50:],
        "Mallory's with Alice's signature": mallory.capability[:50] + alice.capability[50:],
        "signed by another key": capabilities.issue(b"k" * 32, raw, epoch, now),
        "over": capabilities.issue(key, raw, epoch, now, lifetime=0),
        "of a later epoch": capabilities.issue(key, raw, epoch + 1, now),
        "of an unknown scope": capabilities.issue(key, raw, epoch, now, scope="staff"),
        "cut": alice.capability[:-1],
        "longer": alice.capability + "A",
        "padded": alice.capability + "==",
        "with a line break": alice.capability + "\n",
        "twice": alice.capability * 2,
        "huge": "A" * 100_000,
        "not ASCII": "é" * 102,
        "NUL": "\0" * 102,
    }


def test_only_ones_own_capability_opens(running: Kept, alice: Somebody, mallory: Somebody) -> None:
    mine = messages.Open([alice.record()], "account", "own-data", alice.capability)
    assert running.ask("web", mine).values == [ALICE]
    for how, capability in stolen(running, alice, mallory).items():
        for purpose in PURPOSES:
            for records in ([alice.record()], [mallory.record(), alice.record()], [alice.record(), mallory.record()]):
                answer = running.ask("web", messages.Open(records, purpose, "own-data", capability))
                assert code(answer) in ("capability", "purpose"), (how, purpose)


def test_ones_own_data_open_with_ones_own_address_only(running: Kept, alice: Somebody) -> None:
    """A credential put on a blank beforehand is for another mailbox than the contact of who took it."""
    theirs = alice.record(value=msgspec.msgpack.encode({"name": "Bob", "email": "bob@b.example"}), row="row-2")
    broken = alice.record(value=b"\xc1", row="row-3")
    for records in ([theirs], [alice.record("locality")], [broken], [theirs, broken, alice.record("locality")]):
        ask = messages.Open(records, "account", "own-data", alice.capability)
        assert code(running.ask("web", ask)) == "capability"
    spelled = alice.record(value=msgspec.msgpack.encode({"name": "A", "email": " ALICE@Heronsgate.example"}))
    for records in ([alice.record(), alice.record("locality")], [spelled]):
        ask = messages.Open(records, "account", "own-data", alice.capability)
        assert code(running.ask("web", ask)) == "Opened"


def test_a_record_of_alices_that_names_mallory_opens_nothing(running: Kept, alice: Somebody, mallory: Somebody) -> None:
    record = alice.record()
    said = msgspec.structs.replace(record.place, ref=mallory.ref)
    ask = messages.Open([messages.Record(said, record.sealed)], "account", "own-data", mallory.capability)
    assert code(running.ask("web", ask)) == "seal"


def test_a_capability_ends_with_its_time_and_with_the_password(running: Kept, alice: Somebody) -> None:
    look = messages.Open([alice.record()], "account", "own-data", alice.capability)
    assert code(running.ask("web", look)) == "Opened"
    clock.travel(timedelta(days=15))
    assert code(running.ask("web", look)) == "capability"
    clock.travel(timedelta())
    change = messages.Change(alice.capability, "heron and lantern", "lantern and heron")
    fresh = running.ask("web", change)
    assert code(running.ask("web", look)) == "capability"
    assert code(running.ask("web", change)) == "capability"  # replayed
    again = messages.Open([alice.record()], "account", "own-data", fresh.capability)
    assert code(running.ask("web", again)) == "Opened"


def test_a_mailed_secret_is_good_once_and_for_nothing_else(running: Kept, alice: Somebody) -> None:
    ticket = running.ask("web", messages.Recover("alice@heronsgate.example")).ticket
    for guess in ("", "secret", ticket, "\0", "A" * 32):
        assert code(running.ask("web", messages.Prove(ticket, guess, "mallorys password"))) == "ticket"
    secret = running.ask("worker", messages.Redeem(ticket)).secret
    assert code(running.ask("web", messages.Prove(ticket[::-1], secret, "mallorys password"))) == "ticket"
    assert code(running.ask("web", messages.Prove(ticket, secret, "another password"))) == "Proved"
    assert code(running.ask("web", messages.Prove(ticket, secret, "third password"))) == "ticket"


words = st.sampled_from(
    ["", "deliver", "notice", "bill", "account", "legal", "support", "tax", "own-data", "\0", "x" * 300]
)


@extent(max_examples=rounds(150, 5000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.soak
def test_nothing_that_web_says_opens_alice(
    running: Kept, alice: Somebody, mallory: Somebody, data: st.DataObject
) -> None:
    """Any question of any shape, with Alice's records in it, through web's door, without Alice's own capability."""
    place = alice.record().place
    parts = {
        name: data.draw(st.sampled_from([getattr(place, name), "", mallory.ref]))
        for name in ("table", "column", "row", "ref", "klass")
    }
    records = [
        alice.record(),
        messages.Record(
            messages.Place(**parts, schema=data.draw(st.integers(-(2**63), 2**64 - 1))), alice.record().sealed
        ),
    ]
    ask = messages.Open(
        data.draw(st.lists(st.sampled_from(records), max_size=60)),
        data.draw(words),
        data.draw(words),
        data.draw(st.one_of(st.text(max_size=120), st.sampled_from(list(stolen(running, alice, mallory).values())))),
    )
    answer = running.ask("web", ask)
    assert isinstance(answer, messages.Refusal), answer


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

    def test_every_value_of_a_question_may_be_huge_or_odd(self, running: Kept, alice: Somebody) -> None:
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
            whole = msgspec.to_builtins(example(verb, alice))
            for field in [name for name, value in whole.items() if isinstance(value, str) and name != "type"]:
                for value in odd:
                    body = msgspec.msgpack.encode({**whole, field: value})
                    for role in ("web", "worker"):
                        with running.line(role) as line:
                            line.sendall(messages.frame(body))
                            assert "fault" not in code(hear(line)), (verb, field, value[:20])

    def test_places_of_any_size_are_refused(self, running: Kept, alice: Somebody) -> None:
        record = alice.record()
        for part, value in (
            ("table", "x" * 70_000),
            ("row", ""),
            ("schema", 2**62),
            ("schema", -1),
            ("klass", "x" * 70_000),
        ):
            place = msgspec.structs.replace(record.place, **{part: value})
            ask = messages.Open([messages.Record(place, record.sealed)], "deliver", "deliver")
            assert code(running.ask("worker", ask)) in ("seal", "purpose"), part

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
        held = [(len(one.data.came), len(one.data.leaving)) for one in _lines(running)]
        assert max(max(pair) for pair in held) <= 2 * messages.LARGEST, held
        assert sent < 64 << 20

    def test_a_line_that_talks_on_during_a_hash_is_not_read_on_for_ever(self, running: Kept) -> None:
        line = running.line("web")
        line.settimeout(0.5)
        line.sendall(messages.frame(messages.encode(messages.SignIn("alice@heronsgate.example", "x" * 10))))
        hello, sent = messages.frame(messages.encode(messages.Hello())) * 4000, 0
        with suppress(OSError):
            while sent < 64 << 20:
                sent += line.send(hello)
        running.still_serves()
        assert max(len(one.data.came) for one in _lines(running)) <= 2 * messages.LARGEST

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

    def test_a_hundred_wrong_passwords_do_not_keep_letters_from_leaving(self, running: Kept, alice: Somebody) -> None:
        asked = [running.line("web") for _ in range(100)]
        for line in asked:
            line.sendall(messages.frame(messages.encode(messages.SignIn("alice@heronsgate.example", "wrong password"))))
        began = time.monotonic()
        answer = running.ask("worker", messages.Open([alice.record()], "deliver", "deliver"))
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


def _lines(running: Kept) -> list:
    return [one for one in running.loop._selector.get_map().values() if isinstance(one.data, doors.Line)]
