"""Who holds web's door opens nobody."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as extent
from hypothesis import strategies as st

from tests.attacks.keeping import ALICE, VERB_NAMES, Kept, Somebody, code, example
from tests.campaign import rounds
from troth.pledge import clock
from troth.pledge.keeper import capabilities, messages
from troth.pledge.keeper.policy import BY_DOOR, OPENS, OPTIONAL, PURPOSES, VERBS


def test_a_verb_of_the_other_role_is_refused_at_the_door(running: Kept, victim: Somebody) -> None:
    tried = 0
    for role, verbs in VERBS.items():
        for verb in VERB_NAMES - verbs:
            tried += 1
            assert code(running.ask(role, example(verb, victim))) == "door", (role, verb)
    assert tried >= 7
    assert {"Blank", "Redeem", "Note"} <= VERB_NAMES - VERBS["web"]
    assert {"SignIn", "Enrol", "Prove", "Change", "Recover"} <= VERB_NAMES - VERBS["worker"]


def test_no_verb_of_webs_answers_with_something_about_alice(running: Kept, victim: Somebody) -> None:
    quiet = {
        "Greeting",
        "Ticket",
        "Attested",
        "Checkpointed",
        "door",
        "secret",
        "credentials",
        "ticket",
        "capability",
        "purpose",
        "shape",
    }
    for verb in VERB_NAMES:
        answer = running.ask("web", example(verb, victim))
        assert code(answer) in quiet, verb
        assert victim.ref not in repr(answer)


def test_the_worker_opens_for_its_purposes_only(running: Kept, victim: Somebody) -> None:
    opened = set()
    for klass, purpose in OPENS:
        record = victim.record(klass)
        for capability in ("", victim.capability):
            answer = running.ask("worker", messages.Open([record], purpose, "deliver", capability))
            if isinstance(answer, messages.Opened) and not capability:
                opened.add((klass, purpose))
    assert opened == {pair for pair in OPENS if pair[1] in BY_DOOR["worker"] and pair[1] not in OPTIONAL}
    assert {purpose for _, purpose in opened} == {"deliver", "notice", "bill", "fraud"}


def stolen(running: Kept, victim: Somebody, attacker: Somebody) -> dict[str, str]:
    """Capabilities that are none for Alice's data."""
    raw, epoch, _ = capabilities.read(running.keeper.room.keys.capability, victim.capability, 0)
    now, key = int(clock.now().timestamp()), running.keeper.room.keys.capability
    return {
        "none": "",
        "Mallory's own": attacker.capability,
        "Alice's with Mallory's signature": victim.capability[:50] + attacker.capability[50:],
        "Mallory's with Alice's signature": attacker.capability[:50] + victim.capability[50:],
        "signed by another key": capabilities.issue(b"k" * 32, raw, epoch, now),
        "over": capabilities.issue(key, raw, epoch, now, lifetime=0),
        "of a later epoch": capabilities.issue(key, raw, epoch + 1, now),
        "of an unknown scope": capabilities.issue(key, raw, epoch, now, scope="staff"),
        "cut": victim.capability[:-1],
        "longer": victim.capability + "A",
        "padded": victim.capability + "==",
        "with a line break": victim.capability + "\n",
        "twice": victim.capability * 2,
        "huge": "A" * 100_000,
        "not ASCII": "é" * 102,
        "NUL": "\0" * 102,
    }


def test_only_ones_own_capability_opens(running: Kept, victim: Somebody, attacker: Somebody) -> None:
    mine = messages.Open([victim.record()], "account", "own-data", victim.capability)
    assert running.ask("web", mine).values == [ALICE]
    for how, capability in stolen(running, victim, attacker).items():
        for purpose in PURPOSES:
            for records in (
                [victim.record()],
                [attacker.record(), victim.record()],
                [victim.record(), attacker.record()],
            ):
                answer = running.ask("web", messages.Open(records, purpose, "own-data", capability))
                assert code(answer) in ("capability", "purpose"), (how, purpose)


def test_ones_own_data_open_with_ones_own_address_only(running: Kept, victim: Somebody) -> None:
    """A credential put on a blank beforehand is for another mailbox than the contact of who took it."""
    theirs = victim.record(value=msgspec.msgpack.encode({"name": "Bob", "email": "bob@b.example"}), row="row-2")
    broken = victim.record(value=b"\xc1", row="row-3")
    for records in ([theirs], [victim.record("locality")], [broken], [theirs, broken, victim.record("locality")]):
        ask = messages.Open(records, "account", "own-data", victim.capability)
        assert code(running.ask("web", ask)) == "capability"
    spelled = victim.record(value=msgspec.msgpack.encode({"name": "A", "email": " ALICE@Heronsgate.example"}))
    for records in ([victim.record(), victim.record("locality")], [spelled]):
        ask = messages.Open(records, "account", "own-data", victim.capability)
        assert code(running.ask("web", ask)) == "Opened"


def test_a_record_said_to_be_ones_own_opens_nothing(running: Kept, victim: Somebody, attacker: Somebody) -> None:
    record = victim.record()
    said = msgspec.structs.replace(record.place, ref=attacker.ref)
    ask = messages.Open([messages.Record(said, record.sealed)], "account", "own-data", attacker.capability)
    assert code(running.ask("web", ask)) == "seal"


def test_a_capability_ends_with_its_time_and_with_the_password(running: Kept, victim: Somebody) -> None:
    look = messages.Open([victim.record()], "account", "own-data", victim.capability)
    assert code(running.ask("web", look)) == "Opened"
    clock.travel(timedelta(days=15))
    assert code(running.ask("web", look)) == "capability"
    clock.travel(timedelta())
    change = messages.Change(victim.capability, "heron and lantern", "lantern and heron")
    fresh = running.ask("web", change)
    assert code(running.ask("web", look)) == "capability"
    assert code(running.ask("web", change)) == "capability"  # replayed
    again = messages.Open([victim.record()], "account", "own-data", fresh.capability)
    assert code(running.ask("web", again)) == "Opened"


def test_a_mailed_secret_is_good_once_and_for_nothing_else(running: Kept, victim: Somebody) -> None:
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
    running: Kept, victim: Somebody, attacker: Somebody, data: st.DataObject
) -> None:
    """Any question of any shape, with Alice's records in it, through web's door, without Alice's own capability."""
    place = victim.record().place
    parts = {
        name: data.draw(st.sampled_from([getattr(place, name), "", attacker.ref]))
        for name in ("table", "column", "row", "ref", "klass")
    }
    records = [
        victim.record(),
        messages.Record(
            messages.Place(**parts, schema=data.draw(st.integers(-(2**63), 2**64 - 1))), victim.record().sealed
        ),
    ]
    ask = messages.Open(
        data.draw(st.lists(st.sampled_from(records), max_size=60)),
        data.draw(words),
        data.draw(words),
        data.draw(st.one_of(st.text(max_size=120), st.sampled_from(list(stolen(running, victim, attacker).values())))),
    )
    answer = running.ask("web", ask)
    assert isinstance(answer, messages.Refusal), answer
