"""Mailboxes and passwords. A mailbox is known here only, as a keyed hash; nobody can ask whether one is known.

Who may sign in with a mailbox: the first who claimed it, until somebody proves it by a mail; then that person. Others
may wait with the same mailbox and never learn of it. The database settles who wins (unique index `may_sign_in`).
Passwords: Argon2id (RFC 9106) t=2, 19 MiB, p=1, by pyca/cryptography; an unknown mailbox costs the same work.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from troth.pledge.ids import SHAPE, from_bytes, to_bytes
from troth.pledge.keeper import capabilities, messages
from troth.pledge.keeper.own_keys import OwnKeys
from troth.pledge.keeper.persons import Gone, Persons

WAITING, CLAIMED, PROVED = 0, 1, 2
TICKET_LIFE = {"confirm": 7 * 86400, "invite": 30 * 86400, "recover": 3600, "change": 86400}
LONGEST_MAILBOX, LONGEST_PASSWORD = 254, 1024

Work = Callable[[], Any]  # slow and pure: runs beside the loop
Steps = Generator[Work, Any, messages.Answer]


class Refused(Exception):
    """The keeper's no, with a code and nothing else."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def hash_password(password: str) -> str:
    argon = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=2, lanes=1, memory_cost=19_456)
    return argon.derive_phc_encoded(password.encode())


def fits(password: str, phc: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except InvalidKey:
        return False
    return True


class Credentials:
    """The verbs that hash are generators: they yield slow work and go on, in a later batch, with its result."""

    def __init__(
        self, db: sqlite3.Connection, keys: OwnKeys, persons: Persons, clock: Callable[[], datetime]
    ) -> None:  # fmt: skip
        self._db, self._keys, self._persons, self._clock = db, keys, persons, clock
        self._nobody = hash_password(secrets.token_urlsafe())

    def enrol(self, ask: messages.Enrol) -> Steps:
        """Give a blank's person a mailbox and a password. Refused "secret" unless the blank's secret is shown.

        The same again (a lost answer) gives a session again; another mailbox or password is refused.
        """
        raw, index = _raw(ask.ref), self.index(ask.mailbox)
        _password_shape(ask.password)
        if not self._persons.knows_secret(raw, ask.secret):
            raise Refused("secret")
        if self._credential(raw) is None:
            phc = yield lambda: hash_password(ask.password)
            if self._credential(raw) is None:
                row = (raw, index, phc, WAITING, max(self._keys.mailbox))
                self._db.execute("INSERT INTO credential VALUES (?, ?, ?, ?, ?)", row)
                self._claim(raw)
                return self._session(raw)
        known = self._credential(raw)
        assert known is not None
        right = yield lambda: fits(ask.password, known[1])
        if not right or known[0] != index:
            raise Refused("secret")
        return self._session(raw)

    def sign_in(self, ask: messages.SignIn) -> Steps:
        """Refused "credentials" for a wrong password and an unknown mailbox alike, after the same work."""
        sql = "SELECT ref, phc FROM credential WHERE mailbox = ? AND standing > 0"
        row = self._db.execute(sql, (self.index(ask.mailbox),)).fetchone()
        right = yield lambda: fits(ask.password[:LONGEST_PASSWORD], row[1] if row else self._nobody)
        if not right or row is None:
            raise Refused("credentials")
        return self._session(row[0])

    def recover(self, ask: messages.Recover) -> messages.Ticket:
        """A ticket for known and unknown mailboxes alike; what it is good for only the worker learns."""
        index = self.index(ask.mailbox)
        sql = "SELECT ref FROM credential WHERE mailbox = ? AND standing > 0"
        row = self._db.execute(sql, (index,)).fetchone()
        return messages.Ticket(self._ticket("recover", row[0] if row else None, index, None))

    def redeem(self, ask: messages.Redeem) -> messages.Redeemed:
        """For the worker's letter: the secret of a ticket, made now and told once."""
        self._db.execute("DELETE FROM ticket WHERE ends < ?", (self._now(),))
        if ask.ticket:
            return self._redeem_ticket(ask.ticket, peek=ask.kind == "peek")
        raw = _raw(ask.ref)
        if ask.mailbox:
            self._drop_planted(raw, ask.mailbox)
        if ask.kind == "invite":
            if self._credential(raw) is not None:
                return messages.Redeemed("nothing")
            index = self.index(ask.mailbox)
        elif ask.kind == "confirm":
            row = self._credential(raw)
            if row is None:
                return messages.Redeemed("nothing")
            index = row[0]
            if row[2] == WAITING and self._proved_by_other(raw, index):
                return messages.Redeemed("taken", ref=ask.ref)
        else:
            raise Refused("kind")
        secret = secrets.token_urlsafe(24)
        ticket = self._ticket(ask.kind, raw, index, secret)
        return messages.Redeemed(ask.kind, ask.ref, ticket, secret)

    def prove(self, ask: messages.Prove) -> Steps:
        """The secret came back from the mailbox. Sets the password where the kind allows; old capabilities end then."""
        row = self._shown(ask)
        kind, raw, index = row
        if ask.password and kind in ("recover", "invite"):
            _password_shape(ask.password)
            phc = yield lambda: hash_password(ask.password)
            self._shown(ask)  # still there after the pause: exactly one caller goes on
            self._set_password(raw, index, phc)
        elif kind in ("recover", "invite"):
            raise Refused("password")
        if kind == "change":
            # Kept until its end, so that the worker can finish a change whose web process died.
            self._db.execute("UPDATE ticket SET kind = 'changed', secret = NULL WHERE id = ?", (ask.ticket,))
            sql = "UPDATE credential SET mailbox = ?, standing = ?, lookup = ? WHERE ref = ?"
            self._db.execute(sql, (index, WAITING, max(self._keys.mailbox), raw))
            self._persons.raise_epoch(raw)
        else:
            self._db.execute("DELETE FROM ticket WHERE id = ?", (ask.ticket,))
        self._prove_mailbox(raw, index)
        return messages.Proved(kind, self._session(raw))

    def change(self, ask: messages.Change) -> Steps:
        """A new password at once; a new mailbox as a ticket, which the worker redeems and mails to it."""
        raw = self.owner(ask.capability)
        row = self._credential(raw)
        right = yield lambda: fits(ask.password[:LONGEST_PASSWORD], row[1] if row else self._nobody)
        if not right or row is None:
            raise Refused("credentials")
        if ask.new_mailbox:
            return messages.Ticket(self._ticket("change", raw, self.index(ask.new_mailbox), None))
        _password_shape(ask.new_password)
        phc = yield lambda: hash_password(ask.new_password)
        self._set_password(raw, row[0], phc)
        return self._session(raw)

    def index(self, mailbox: str) -> bytes:
        """The keyed hash under which a mailbox is found: NFKC, trimmed, case folded. Or Refused "mailbox".

        While the look-up key is rotated, rows that stand under an older key are moved to the newest one here.
        """
        name = unicodedata.normalize("NFKC", mailbox).strip().casefold()
        if "@" not in name or len(name) > LONGEST_MAILBOX:
            raise Refused("mailbox")
        newest = max(self._keys.mailbox)
        hashes = {version: _lookup(key, name) for version, key in self._keys.mailbox.items()}
        for version in hashes.keys() - {newest}:
            sql = "UPDATE credential SET mailbox = ?, lookup = ? WHERE mailbox = ? AND lookup = ?"
            self._db.execute(sql, (hashes[newest], newest, hashes[version], version))
            self._db.execute("UPDATE ticket SET mailbox = ? WHERE mailbox = ?", (hashes[newest], hashes[version]))
        return hashes[newest]

    def signs_in(self, raw: bytes, mailbox: str) -> bool:
        """Whether this mailbox is the one that the person signs in with."""
        row = self._credential(raw)
        return row is not None and hmac.compare_digest(row[0], self.index(mailbox))

    def outdated(self) -> int:
        """How many mailboxes stand under an older look-up key."""
        sql = "SELECT count(*) FROM credential WHERE lookup < ?"
        return int(self._db.execute(sql, (max(self._keys.mailbox),)).fetchone()[0])

    def _redeem_ticket(self, ticket: str, peek: bool) -> messages.Redeemed:
        sql = "SELECT kind, ref, secret FROM ticket WHERE id = ?"
        row = self._db.execute(sql, (ticket,)).fetchone()
        if row is None or row[1] is None:
            return messages.Redeemed("nothing")
        if peek or row[0] == "changed":
            return messages.Redeemed(row[0], _name(row[1]), ticket)
        secret = secrets.token_urlsafe(24)
        # A letter that is sent again carries a new secret; only the last one is good.
        self._db.execute("UPDATE ticket SET secret = ? WHERE id = ?", (_digest(secret), ticket))
        return messages.Redeemed(row[0], _name(row[1]), ticket, secret)

    def _shown(self, ask: messages.Prove) -> tuple[str, bytes, bytes]:
        sql = "SELECT kind, ref, mailbox, secret FROM ticket WHERE id = ? AND ends > ?"
        row = self._db.execute(sql, (ask.ticket, self._now())).fetchone()
        if row is None or row[3] is None or not hmac.compare_digest(row[3], _digest(ask.secret)):
            raise Refused("ticket")
        return row[0], row[1], row[2]

    def _ticket(self, kind: str, raw: bytes | None, index: bytes, secret: str | None) -> str:
        ticket = secrets.token_urlsafe(16)
        row = (ticket, kind, raw, index, _digest(secret) if secret else None, self._now() + TICKET_LIFE[kind])
        self._db.execute("INSERT INTO ticket VALUES (?, ?, ?, ?, ?, ?)", row)
        return ticket

    def _set_password(self, raw: bytes, index: bytes, phc: str) -> None:
        sql = "INSERT INTO credential VALUES (?, ?, ?, ?, ?) ON CONFLICT (ref) DO UPDATE SET phc = excluded.phc"
        self._db.execute(sql, (raw, index, phc, WAITING, max(self._keys.mailbox)))
        self._persons.raise_epoch(raw)

    def _drop_planted(self, raw: bytes, mailbox: str) -> None:
        """End a credential that nobody proved and that is not for the mailbox which this person gave: it was put on
        the blank before they took it."""
        row = self._credential(raw)
        if row is not None and row[2] != PROVED and not self.signs_in(raw, mailbox):
            self._db.execute("DELETE FROM credential WHERE ref = ?", (raw,))
            self._persons.raise_epoch(raw)

    def _claim(self, raw: bytes) -> None:
        """The first to claim a mailbox may sign in with it, until somebody proves it."""
        self._db.execute("UPDATE OR IGNORE credential SET standing = ? WHERE ref = ?", (CLAIMED, raw))

    def _prove_mailbox(self, raw: bytes, index: bytes) -> None:
        """Whoever proves a mailbox signs in with it. One that another person proved before stays theirs."""
        if self._proved_by_other(raw, index):
            raise Refused("taken")
        sql = "UPDATE credential SET standing = ? WHERE mailbox = ? AND ref <> ? AND standing = ?"
        self._db.execute(sql, (WAITING, index, raw, CLAIMED))
        self._db.execute("UPDATE credential SET standing = ? WHERE ref = ? AND mailbox = ?", (PROVED, raw, index))

    def _proved_by_other(self, raw: bytes, index: bytes) -> bool:
        sql = "SELECT 1 FROM credential WHERE mailbox = ? AND ref <> ? AND standing = ?"
        return self._db.execute(sql, (index, raw, PROVED)).fetchone() is not None

    def _credential(self, raw: bytes) -> tuple[bytes, str, int] | None:
        row = self._db.execute("SELECT mailbox, phc, standing FROM credential WHERE ref = ?", (raw,)).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def owner(self, capability: str) -> bytes:
        """The person whose own capability this is. Refused "capability"."""
        try:
            raw, epoch, scope = capabilities.read(self._keys.capability, capability, self._now())
            if scope != "own" or self._persons.epoch(raw) != epoch:
                raise Refused("capability")
        except (capabilities.NoCapability, Gone):
            raise Refused("capability") from None
        return raw

    def _session(self, raw: bytes) -> messages.Session:
        epoch = self._persons.epoch(raw)
        capability = capabilities.issue(self._keys.capability, raw, epoch, self._now())
        return messages.Session(_name(raw), epoch, capability)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _lookup(key: bytes, name: str) -> bytes:
    return hmac.digest(key, b"mailbox\0" + name.encode(), hashlib.sha256)[:16]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _name(raw: bytes) -> str:
    return from_bytes("per", raw)


def _raw(ref: str) -> bytes:
    if not SHAPE.match(ref):
        raise Refused("shape")
    return to_bytes(ref)


def _password_shape(password: str) -> None:
    if not 8 <= len(password) <= LONGEST_PASSWORD:
        raise Refused("password")
