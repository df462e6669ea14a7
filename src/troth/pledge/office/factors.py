"""The second factor: codes of an app (TOTP, RFC 6238, by pyca/cryptography), each good once, recovery codes, passkeys.

The app's secret lies sealed under its person's history key, so it is rewrapped with that and dies with it. A code is
SHA-1, six digits, thirty seconds; one step before and after are taken as clocks differ. A failure counts before it is
one: ten an hour, whoever tries.

A passkey counts here when its person said so with a second factor they had before: who knows the password adds
passkeys to an account, and comes no nearer to the desk by it. What counts is its public key, not its name, which a
device chooses freely.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Generator
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from troth.pledge.keeper import messages as keeper
from troth.pledge.keeper.credentials import Work, rest
from troth.pledge.keeper.messages import Refused
from troth.pledge.keeper.policy import PARTS
from troth.pledge.office import messages, policy
from troth.pledge.office.desk import Desk, digest

STEP, TRIES, HOUR, RECOVERY = 30, 10, 3600, 10
Proving = Generator[Work, Any, list[str]]


def plant(desk: Desk, ask: messages.Plant) -> messages.Planted:
    """Refused "factor" for who has one: it is changed by a new invitation."""
    raw = desk.credentials.owner(ask.capability)
    if desk.colleague(raw).second_factor:
        raise Refused("factor")
    secret = secrets.token_bytes(20)
    desk.db.execute("UPDATE staff SET totp = ?, step = 0 WHERE ref = ?", (_siv(desk, raw).encrypt(secret, None), raw))
    return messages.Planted(secret)


def enter(desk: Desk, ask: messages.Enter) -> Generator[Work, Any, messages.Entered]:
    """From one's password and the second factor a session at the desk. Refused "factor", "budget"."""
    raw = desk.credentials.owner(ask.capability)
    desk.colleague(raw)
    codes = yield from prove(desk, raw, ask)
    capability = desk.issue(raw, "staff", policy.SHIFT)
    return messages.Entered(capability, desk.issue(raw, "fresh", policy.FRESH), codes)


def renew(desk: Desk, ask: messages.Renew) -> Generator[Work, Any, messages.Entered]:
    raw, _, _ = desk.seated(ask.capability)
    yield from prove(desk, raw, ask)
    return messages.Entered(ask.capability, desk.issue(raw, "fresh", policy.FRESH))


def leave(desk: Desk, ask: messages.Leave) -> messages.Done:
    """Nobody sits at the desk with this capability any more."""
    desk.seated(ask.capability)
    now = desk.room.now()
    desk.db.execute("DELETE FROM gone_home WHERE ends < ?", (now,))
    desk.db.execute("INSERT OR IGNORE INTO gone_home VALUES (?, ?)", (digest(ask.capability), now + policy.SHIFT))
    return messages.Done()


def passkeys(desk: Desk, ask: messages.Passkeys) -> messages.Known:
    raw, _, _ = desk.seated(ask.capability)
    sql = "SELECT id, made, key FROM passkey JOIN person USING (ref, epoch) WHERE ref = ? ORDER BY made, id"
    return messages.Known([(name, made, _counts(desk, raw, key)) for name, made, key in desk.db.execute(sql, (raw,))])


def count(desk: Desk, ask: messages.Count) -> messages.Done:
    """Refused "fresh" without another second factor of just now, "unknown" for a passkey that is not theirs."""
    raw, _, _ = desk.seated(ask.capability)
    if not desk.is_fresh(raw, ask.fresh):
        raise Refused("fresh")
    sql = "SELECT key FROM passkey JOIN person USING (ref, epoch) WHERE id = ? AND ref = ?"
    if (key := desk.db.value(sql, ask.passkey, raw)) is None:
        raise Refused("unknown")
    desk.db.execute("DELETE FROM counts WHERE passkey = ?", (hashlib.sha256(key).digest(),))
    if ask.counts:
        desk.db.execute("INSERT INTO counts VALUES (?, ?)", (hashlib.sha256(key).digest(), raw))
    desk.tell("passkey counts" if ask.counts else "passkey counts no more")
    return messages.Done()


def prove(desk: Desk, raw: bytes, ask: messages.Enter | messages.Renew) -> Proving:
    """Recovery codes where this was the first code of an app, else nothing."""
    desk.room.spend(raw + b" factor", 1, TRIES, HOUR)
    yield rest  # what was spent stays spent, whatever comes of this try
    if ask.passkey:
        shown = keeper.Passkey("sign in", ticket=ask.challenge, passkey=ask.passkey)
        holder, key = import_module(PARTS["Passkey"]).used(desk.room, shown)
        if holder != raw or not _counts(desk, raw, key):
            raise Refused("passkey")
        return []
    code = ask.code.replace(" ", "").replace("-", "").lower()
    if desk.db.one("DELETE FROM recovery WHERE code = ? AND ref = ? RETURNING 1", digest(code), raw):
        return []
    sealed, last = desk.db.one("SELECT totp, step FROM staff WHERE ref = ?", raw)
    step = _step(desk, _siv(desk, raw).decrypt(sealed, None), code) if sealed else 0
    if not desk.db.one("UPDATE staff SET step = ?1 WHERE ref = ?2 AND step < ?1 RETURNING 1", step, raw):
        raise Refused("factor")  # of no step of now, or of one that was used
    return [] if last else _recovery_codes(desk, raw)


def _counts(desk: Desk, raw: bytes, key: bytes) -> bool:
    sql = "SELECT 1 FROM counts WHERE passkey = ? AND ref = ?"
    return desk.db.one(sql, hashlib.sha256(key).digest(), raw) is not None


def _step(desk: Desk, secret: bytes, code: str) -> int:
    now, app = desk.room.now() // STEP, TOTP(secret, 6, SHA1(), STEP)  # noqa: S303 - as apps know it (RFC 6238, 1.2)
    near = (now - 1, now, now + 1)
    return max((n for n in near if hmac.compare_digest(app.generate(n * STEP), code.encode())), default=0)


def _recovery_codes(desk: Desk, raw: bytes) -> list[str]:
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY)]
    desk.db.execute("DELETE FROM recovery WHERE ref = ?", (raw,))
    desk.db.executemany("INSERT INTO recovery VALUES (?, ?)", [(digest(code), raw) for code in codes])
    return codes


def _siv(desk: Desk, raw: bytes) -> AESSIV:
    return AESSIV(hmac.digest(desk.room.persons.history_key(raw), b"troth totp 1", hashlib.sha512))
