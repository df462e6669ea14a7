"""Bytes that no browser sends, before the parser that stands beside the keys: one refusal, no fault, no growth."""

from __future__ import annotations

import base64
import json
import logging
import re
import resource

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.campaign import rounds
from tests.pledge.authenticator import Authenticator, b64
from tests.pledge.test_keeper import ask, code
from tests.pledge.test_passkeys import PASSWORD, alice, challenge, key
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.keeper.messages import Passkey

__all__ = ["alice", "key"]
TIMES = rounds(60, 2000)  # registering hashes a password each time, and a test may take four minutes
GROWTH = 64 << 10  # KiB that the process may grow by
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.binary(max_size=40).map(b64),
    st.just([]), st.just({}), st.just("=" * 9), st.just("\ud800"), st.just("[" * 6000),
)  # fmt: skip
MONSTERS = [
    b"\x9b" + b"\xff" * 8, b"\x5b\x7f" + b"\xff" * 7, b"\x81" * 4000, b"\xbf" * 900, b"\xd8\x1c\x81\xd8\x1d\x00",
    b"\xc2\x59\x0f\xff" + b"\xff" * 4095,
]  # fmt: skip
VALUES = st.one_of(
    st.integers(), st.binary(max_size=90), st.text(max_size=9), st.just({1: 2}), st.just([[]] * 9), st.none()
)  # fmt: skip
# COSE keys (RFC 9052, section 7) of kinds and curves that there are and are not, with parts of any kind, or lacking.
SMALL = st.sampled_from([0, 1, 2, 3, 4, 7, 8, -7, -8, -35, -48, -257, -65535])
POINTS = st.binary(min_size=32, max_size=32) | VALUES
KEYS = VALUES | st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), SMALL | POINTS) | st.fixed_dictionaries(
    {1: st.just(2), 3: st.just(-7), -1: SMALL, -2: POINTS, -3: POINTS}
)  # fmt: skip
BEFORE_KEY = 37 + 16 + 2 + 16  # bytes of authenticator data
tries = settings(
    max_examples=TIMES, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def raw(text: str) -> bytes:
    """Read as the library reads it: what is none of base64url's letters is passed over."""
    text = re.sub(r"[^A-Za-z0-9_-]", "", text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cut(data: st.DataObject, whole: bytes) -> bytes:
    """Some bytes of it changed, left out, doubled, or put in from anywhere."""
    bent = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 999)) * len(bent) // 1000  # lengths vary: draws must not
        length = data.draw(st.integers(0, 24))
        bent[at : at + length] = data.draw(st.binary(max_size=24))
    return bytes(bent)


def bent(data: st.DataObject, shown: str) -> str:
    """A browser's answer with one part made wrong: its JSON, a field, or the bytes inside a field."""
    how = data.draw(st.sampled_from(["text", "field", "part", "bytes", "bytes", "cbor", "cbor"]))
    if how == "text":
        return cut(data, shown.encode()).decode("utf-8", "replace")
    told = json.loads(shown)
    within = told if how == "field" else told["response"]
    name = data.draw(st.sampled_from(sorted(within)))
    if how in ("field", "part"):
        within[name] = data.draw(ODD)
    elif how == "bytes":
        within[name] = b64(cut(data, raw(within[name])))
    elif "attestationObject" in within:
        loaded = cbor2.loads(raw(within["attestationObject"]))
        if data.draw(st.booleans()):
            loaded[data.draw(st.sampled_from(sorted(loaded)))] = data.draw(VALUES)
        else:
            loaded["authData"] = loaded["authData"][:BEFORE_KEY] + cbor2.dumps(data.draw(KEYS))
        within["attestationObject"] = b64(cbor2.dumps(loaded))
    return json.dumps(told)


def is_refused(keeper: Keeper, question: Passkey, logged: pytest.LogCaptureFixture) -> str:
    """The refusal, or the answer's name. No fault of ours either way."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = code(ask(keeper, "web", question))
    assert answer in ("passkey", "shape", "Passkeys", "Session"), answer
    assert not [line for line in logged.records if line.levelno >= logging.ERROR]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH
    return answer


@pytest.mark.soak
@tries
@given(data=st.data())
def test_no_registration_breaks_it(keeper: Keeper, alice, caplog, data: st.DataObject) -> None:
    keeper.db.execute("DELETE FROM passkey")
    keeper.db.executescript("DELETE FROM spent; DELETE FROM failure")
    ticket = challenge(keeper)
    shown = bent(data, Authenticator(messages.raw_ref(alice.ref)).made(ticket))
    is_refused(keeper, Passkey("add", ticket, shown, alice.capability, PASSWORD), caplog)


@pytest.mark.soak
@tries
@given(data=st.data())
def test_no_assertion_breaks_it_and_no_bent_one_signs_in(keeper: Keeper, key, caplog, data: st.DataObject) -> None:
    keeper.db.executescript("DELETE FROM spent; DELETE FROM failure")
    ticket = challenge(keeper)
    right = key.shown(ticket)
    shown = bent(data, right)
    answer = is_refused(keeper, Passkey("sign in", ticket, shown), caplog)
    if answer == "Session":  # only where what was bent is not what was signed
        was, told = json.loads(right), json.loads(shown)
        for name in ("clientDataJSON", "authenticatorData", "signature"):
            assert raw(told["response"][name]) == raw(was["response"][name])


@pytest.mark.soak
@tries
@given(attestation=st.binary(max_size=400) | st.sampled_from(MONSTERS))
def test_no_cbor_breaks_it(keeper: Keeper, alice, caplog, attestation: bytes) -> None:
    """Lengths beyond everything, nesting without end, references to itself, numbers of four thousand bytes."""
    keeper.db.executescript("DELETE FROM spent; DELETE FROM failure")
    ticket = challenge(keeper)
    told = json.loads(Authenticator(messages.raw_ref(alice.ref)).made(ticket))
    told["response"]["attestationObject"] = b64(attestation)
    ask_it = Passkey("add", ticket, json.dumps(told), alice.capability, PASSWORD)
    assert is_refused(keeper, ask_it, caplog) == "passkey"
