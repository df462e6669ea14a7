"""The second factor: codes of an app (TOTP, RFC 6238, by pyca/cryptography), each good once, and recovery codes.

The app's secret lies sealed under its person's history key, so it is rewrapped with that and dies with it. A code is
SHA-1, six digits, thirty seconds; one step before and after are taken as clocks differ. A failure counts before it is
one: ten an hour, whoever tries.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Generator
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from troth.pledge.keeper.credentials import Work, rest
from troth.pledge.keeper.messages import Refused
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
    codes = yield from prove(desk, raw, ask.code)
    capability = desk.issue(raw, "staff", policy.SHIFT)
    return messages.Entered(capability, desk.issue(raw, "fresh", policy.FRESH), codes)


def renew(desk: Desk, ask: messages.Renew) -> Generator[Work, Any, messages.Entered]:
    raw, _, _ = desk.seated(ask.capability)
    yield from prove(desk, raw, ask.code)
    return messages.Entered(ask.capability, desk.issue(raw, "fresh", policy.FRESH))


def leave(desk: Desk, ask: messages.Leave) -> messages.Done:
    """Nobody sits at the desk with this capability any more."""
    desk.seated(ask.capability)
    now = desk.room.now()
    desk.db.execute("DELETE FROM gone_home WHERE ends < ?", (now,))
    desk.db.execute("INSERT OR IGNORE INTO gone_home VALUES (?, ?)", (digest(ask.capability), now + policy.SHIFT))
    return messages.Done()


def prove(desk: Desk, raw: bytes, code: str) -> Proving:
    """Recovery codes where this was the first code of an app, else nothing."""
    desk.room.spend(raw + b" factor", 1, TRIES, HOUR)
    yield rest  # what was spent stays spent, whatever comes of this try
    code = code.replace(" ", "").replace("-", "").lower()
    if desk.db.one("DELETE FROM recovery WHERE code = ? AND ref = ? RETURNING 1", digest(code), raw):
        return []
    sealed, last = desk.db.one("SELECT totp, step FROM staff WHERE ref = ?", raw)
    step = _step(desk, _siv(desk, raw).decrypt(sealed, None), code) if sealed else 0
    if not desk.db.one("UPDATE staff SET step = ?1 WHERE ref = ?2 AND step < ?1 RETURNING 1", step, raw):
        raise Refused("factor")  # of no step of now, or of one that was used
    return [] if last else _recovery_codes(desk, raw)


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
