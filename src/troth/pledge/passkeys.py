"""Passkeys: the part of the keeper that is loaded when somebody first asks for one, since it brings a parser along.

Only discoverable credentials (W3C Web Authentication 3, section 6.2.3): who signs in types no mailbox, so there is
nothing to ask about anybody. Browsers' bytes are capped before they are parsed, by py_webauthn; whatever that makes
of bytes that no browser sends is one refusal, "passkey". The person of a passkey has a proved mailbox, and it is good
for the epoch of their credential: one that somebody else put there ends with a new password, as sessions do.
"""

import secrets
import struct
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException

from troth.pledge.keeper import messages
from troth.pledge.keeper.credentials import PROVED, Credentials, Steps
from troth.pledge.keeper.room import Room

MINUTES = 5  # that a challenge is good for
LARGEST = 8192  # characters of what a browser shows; those of today send some hundred
MOST = 20  # passkeys of one person
Act = Callable[[Room, Credentials, str, messages.Passkey], messages.Answer | Steps]
# What the parser and what it rests on raise for bytes that are none of theirs (tests/pledge/test_passkey_fuzz.py).
FOREIGN = (
    WebAuthnException, InvalidSignature, UnsupportedAlgorithm, ArithmeticError, AttributeError, EOFError, LookupError,
    RecursionError, TypeError, ValueError, struct.error,
)  # fmt: skip


class _Response(msgspec.Struct):
    userHandle: str = ""


class _Shown(msgspec.Struct):
    """What is read of a browser's answer before it is verified."""

    id: str
    response: _Response


def act(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> Steps:
    """Do what is asked. Refused "passkey" for what does not prove itself, "capability", "credentials", "later",
    "unproved" (the mailbox), "many"; "shape" for what is none of these verbs."""
    acts: dict[str, Act] = {"ask": _ask, "sign in": _sign_in, "add": _add, "list": _list, "remove": _remove}
    if ask.does not in acts or len(ask.passkey) > LARGEST:
        raise messages.Refused("shape")
    room.tidy()
    done = acts[ask.does](room, credentials, role, ask)
    return (yield from done) if isinstance(done, Generator) else done


def _ask(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> messages.Answer:
    """A challenge: 32 random bytes, good once."""
    ticket = secrets.token_urlsafe(32)
    sql = "INSERT INTO ticket VALUES (?, 'passkey', NULL, NULL, NULL, ?)"
    room.db.execute(sql, (ticket, room.now() + MINUTES * 60))
    return messages.Ticket(ticket)


def _sign_in(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> messages.Answer:
    """A session for whom the passkey is."""
    return credentials.session(used(room, ask)[0])


def used(room: Room, ask: messages.Passkey) -> tuple[bytes, bytes]:
    """Whose passkey it is, and its public key: section 7.2. A counter that went back is that of a copy: an incident."""
    try:
        shown = msgspec.json.decode(ask.passkey[:LARGEST], type=_Shown)
    except (msgspec.MsgspecError, UnicodeError):
        raise messages.Refused("passkey") from None
    sql = "SELECT ref, key, counter FROM passkey JOIN credential USING (ref) JOIN person USING (ref, epoch)"
    row = room.db.one(f"{sql} WHERE id = ? AND standing = ?", shown.id, PROVED)
    if row is None or shown.response.userHandle != bytes_to_base64url(row[0]):
        raise messages.Refused("passkey")
    raw, key, before = row
    verify = webauthn.verify_authentication_response
    verified = _verified(verify, room, ask, credential_public_key=key, credential_current_sign_count=0)
    count = verified.new_sign_count
    if max(count, before) and count <= before:
        raise messages.Refused("passkey", incident="a passkey's counter went back: there is a copy of it")
    room.db.execute("UPDATE passkey SET counter = ? WHERE id = ?", (count, shown.id))
    return raw, key


def _add(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> Steps:
    """Section 7.1, with one's own capability and password. Who made the device is not asked: attestation "none".

    What is refused counts as a failed sign-in, whatever was wrong with it: who tries much waits.
    """
    raw = credentials.owner(ask.capability)
    phc = room.db.value("SELECT phc FROM credential WHERE ref = ? AND standing = ?", raw, PROVED)
    if phc is None:
        raise messages.Refused("unproved")
    yield from credentials.compare(ask.password, phc, raw)
    made = _verified(webauthn.verify_registration_response, room, ask)
    if made.fmt != "none" or len(made.credential_id) > 1023:  # section 7.1, step 25
        raise messages.Refused("passkey")
    if len(_of(room, raw)) >= MOST:
        raise messages.Refused("many")
    epoch, name = room.persons.epoch(raw), bytes_to_base64url(made.credential_id)
    room.db.execute("DELETE FROM passkey WHERE ref = ? AND epoch < ?", (raw, epoch))
    row = (name, raw, made.credential_public_key, made.sign_count, room.now(), epoch)
    if not room.db.one("INSERT OR IGNORE INTO passkey VALUES (?, ?, ?, ?, ?, ?) RETURNING 1", *row):
        raise messages.Refused("passkey")
    room.note(raw, {"did": "passkey"})
    return messages.Passkeys(_of(room, raw))


def _list(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> messages.Answer:
    return messages.Passkeys(_of(room, credentials.owner(ask.capability)))


def _remove(room: Room, credentials: Credentials, role: str, ask: messages.Passkey) -> messages.Answer:
    """One's own. Removed again it is as gone as before."""
    raw = credentials.owner(ask.capability)
    if room.db.one("DELETE FROM passkey WHERE id = ? AND ref = ? RETURNING 1", ask.passkey, raw):
        room.note(raw, {"did": "passkey-removed"})
    return messages.Passkeys(_of(room, raw))


def _of(room: Room, raw: bytes) -> list[tuple[str, int]]:
    sql = "SELECT id, made FROM passkey JOIN person USING (ref, epoch) WHERE ref = ? ORDER BY made, id"
    return list(room.db.execute(sql, (raw,)))


def _verified(verify: Callable[..., Any], room: Room, ask: messages.Passkey, **known: object) -> Any:
    """What `verify` makes of the browser's answer to a challenge of ours, which is used up by it."""
    sql = "DELETE FROM ticket WHERE id = ? AND kind = 'passkey' AND ends > ? RETURNING 1"
    if not room.db.one(sql, ask.ticket, room.now()):
        raise messages.Refused("passkey")
    try:
        return verify(
            credential=ask.passkey, expected_challenge=base64url_to_bytes(ask.ticket), expected_origin=room.site,
            expected_rp_id=urlsplit(room.site).hostname or "", require_user_verification=True, **known,
        )  # fmt: skip
    except FOREIGN:
        raise messages.Refused("passkey") from None
