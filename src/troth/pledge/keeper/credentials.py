"""Mailboxes and passwords. A mailbox is known here only, as a keyed hash; nobody can ask whether one is known.

Who may sign in with a mailbox: the first who claimed it, until somebody proves it by a mail; then that person. Others
may wait with the same mailbox and never learn of it. The database settles who wins (unique index `may_sign_in`).
Passwords: passwords.py; an unknown mailbox costs the same work.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import msgspec

from troth.pledge.keeper import capabilities, messages, passwords
from troth.pledge.keeper.room import Room
from troth.pledge.keeper.seals import BadSeal

WAITING, CLAIMED, PROVED = 0, 1, 2
HOURS = {"confirm": 168, "invite": 720, "claim": 720, "recover": 1, "change": 24, "erase": 24}  # a ticket's life
LONGEST_MAILBOX, LONGEST_PASSWORD = 254, 1024
FREE, LONGEST_WAIT, FORGIVEN = 5, 900, 86400  # failures before the first delay; seconds
DEVICE_LIFE = 400 * 86400  # as long as browsers keep a cookie

Work = Callable[[], Any]  # slow and pure: runs beside the loop
Steps = Generator[Work, Any, messages.Answer]


def rest() -> None:
    """Yielded where nothing is to be done but to let others pass; the loop goes on by itself, in its next batch."""


class Reached(msgspec.Struct):
    """What is read of a contact in here; its other fields are passed over."""

    email: str


def read_mailbox(contact: bytes) -> str:
    """The mailbox in an opened contact. BadSeal where there is none."""
    try:
        return msgspec.msgpack.decode(contact, type=Reached).email
    except msgspec.MsgspecError:
        raise BadSeal from None


class Credentials:
    """The verbs that hash are generators: they yield slow work and go on, in a later batch, with its result."""

    def __init__(self, room: Room) -> None:
        self._room, self._db, self._keys, self._persons = room, room.db, room.keys, room.persons
        self._nobody = passwords.hash_password(secrets.token_urlsafe())

    def enrol(self, role: str, ask: messages.Enrol) -> Steps:
        """Give a blank's person a mailbox and a password. Refused "secret" unless the blank's secret is shown.

        The same again (a lost answer) gives a session again; another mailbox or password is refused.
        """
        raw, index = messages.raw_ref(ask.ref), self.index(ask.mailbox)
        if not self._persons.knows_secret(raw, ask.secret):
            raise messages.Refused("secret")
        if self._credential(raw) is None:
            phc = yield from _hashed(ask.password)
            sql = "INSERT OR IGNORE INTO credential VALUES (?, ?, ?, ?, ?) RETURNING 1"
            if self._db.one(sql, raw, index, phc, WAITING, max(self._keys.mailbox)):
                # The first to claim a mailbox may sign in with it, until somebody proves it.
                self._db.execute("UPDATE OR IGNORE credential SET standing = ? WHERE ref = ?", (CLAIMED, raw))
                return self.session(raw)
        known = self._credential(raw)
        right = yield lambda: passwords.fits(ask.password, known[1])
        if not right or known[0] != index:
            raise messages.Refused("secret")
        return self.session(raw)

    def sign_in(self, role: str, ask: messages.SignIn) -> Steps:
        """Refused "credentials" for a wrong password and an unknown mailbox alike, after the same work."""
        sql = "SELECT ref, phc FROM credential WHERE mailbox = ? AND standing > 0"
        index = self.index(ask.mailbox)
        row = self._db.one(sql, index)
        counted = self._counted_on(index, row[0] if row else b"", ask.device)
        yield from self.compare(ask.password, row[1] if row else self._nobody, counted)
        return self.session(row[0])

    def recover(self, role: str, ask: messages.Recover) -> messages.Ticket:
        """A ticket for known and unknown mailboxes alike; what it is good for only the worker learns."""
        if ask.kind not in ("recover", "erase"):
            raise messages.Refused("kind")
        index = self.index(ask.mailbox)
        raw = self._db.value("SELECT ref FROM credential WHERE mailbox = ? AND standing > 0", index)
        return messages.Ticket(self._ticket(ask.kind, raw, index))

    def redeem(self, role: str, ask: messages.Redeem) -> messages.Redeemed:
        """For the worker's letter: the secret of a ticket, made now and told once.

        `mailbox` is where that letter goes, as it was opened. Whoever can write the main database can put a contact of
        theirs into a person's row, and would get that person's links: then it is told as "astray" and no secret made.
        """
        self._room.tidy()
        if ask.ticket:
            return self._redeem_ticket(ask.ticket, ask.mailbox, peek=ask.kind == "peek")
        raw = messages.raw_ref(ask.ref)
        if ask.mailbox and not self.is_reached_by(raw, ask.mailbox):
            return messages.Redeemed("astray")
        if ask.kind not in ("invite", "claim", "confirm", "erase"):
            raise messages.Refused("kind")
        row = self._credential(raw)
        if ask.kind != "erase" and (row is None) != (ask.kind in ("invite", "claim")):
            return messages.Redeemed("nothing")
        index = row[0] if row else self.index(ask.mailbox)
        if ask.kind == "confirm" and row[2] == WAITING and self._proved_by_other(raw, index):
            return messages.Redeemed("taken", ref=ask.ref)
        return self._redeem_ticket(self._ticket(ask.kind, raw, index), "")

    def prove(self, role: str, ask: messages.Prove) -> Steps:
        """The secret came back from the mailbox. Sets the password where the kind allows; old capabilities end then."""
        kind, raw, index = self._shown(ask)
        if kind == "claim":
            return self._link(raw, self.owner(ask.capability))
        if kind == "erase":
            # Kept until its end, so that the worker can begin what a web process proved before it died. No session.
            self._db.execute("UPDATE ticket SET kind = 'proved', secret = NULL WHERE id = ?", (ask.ticket,))
            return messages.Proved(kind, messages.Session(messages.ref_name(raw), self._persons.epoch(raw), ""))
        if kind in ("recover", "invite"):
            phc = yield from _hashed(ask.password)
            self._shown(ask)  # still there after the pause: exactly one caller goes on
            self._set_password(raw, index, phc)
        if kind == "change":
            # Kept until its end, so that the worker can finish a change whose web process died.
            self._db.execute("UPDATE ticket SET kind = 'changed', secret = NULL WHERE id = ?", (ask.ticket,))
            self._end_links(raw, "change", "recover", "confirm", "erase")  # they lie in the former mailbox
            sql = "UPDATE credential SET mailbox = ?, standing = ?, lookup = ? WHERE ref = ?"
            self._db.execute(sql, (index, WAITING, max(self._keys.mailbox), raw))
            self._persons.raise_epoch(raw)
            self._room.note(raw, {"did": "mailbox"})
        else:
            self._db.execute("DELETE FROM ticket WHERE id = ?", (ask.ticket,))
        self._prove_mailbox(raw, index)
        self._db.execute("DELETE FROM failure WHERE who IN (?, ?)", (index, raw))
        return messages.Proved(kind, self.session(raw))

    def change(self, role: str, ask: messages.Change) -> Steps:
        """A new password at once; a new mailbox as a ticket, which the worker redeems and mails to it."""
        raw = self.owner(ask.capability)
        row = self._credential(raw)
        yield from self.compare(ask.password, row[1] if row else self._nobody, raw)
        if ask.new_mailbox:
            self._end_links(raw, "change")  # the mailbox that was typed before may be anybody's
            return messages.Ticket(self._ticket("change", raw, self.index(ask.new_mailbox)))
        phc = yield from _hashed(ask.new_password)
        self._set_password(raw, row[0], phc)
        return self.session(raw)

    def index(self, mailbox: str) -> bytes:
        """The keyed hash under which a mailbox is found: NFKC, trimmed, case folded. Or Refused "mailbox".

        While the look-up key is rotated, rows that stand under an older key are moved to the newest one here.
        """
        newest, name_in = max(self._keys.mailbox), _named(mailbox)
        hashes = {v: hmac.digest(key, name_in, hashlib.sha256)[:16] for v, key in self._keys.mailbox.items()}
        for old in hashes.keys() - {newest}:
            sql = "UPDATE credential SET mailbox = ?, lookup = ? WHERE mailbox = ? AND lookup = ?"
            self._db.execute(sql, (hashes[newest], newest, hashes[old], old))
            for table in ("ticket", "reached"):
                self._db.execute(f"UPDATE {table} SET mailbox = ?1 WHERE mailbox = ?2", (hashes[newest], hashes[old]))  # noqa: S608
        return hashes[newest]

    def objects(self, mailbox: str) -> bool:
        """Whether somebody with this mailbox asked for no mailings."""
        return self._db.one("SELECT 1 FROM objected WHERE mailbox = ?", self.objection(mailbox)) is not None

    def objection(self, mailbox: str) -> bytes:
        """Its key is never rotated: of who was forgotten nothing else is left to know the mailbox by."""
        return hmac.digest(self._keys.objection, _named(mailbox), hashlib.sha256)[:16]

    def signs_in(self, raw: bytes, mailbox: str) -> bool:
        """Whether this mailbox is the one that the person signs in with."""
        row = self._credential(raw)
        return row is not None and hmac.compare_digest(row[0], self.index(mailbox))

    def outdated(self) -> int:
        """How many mailboxes stand under an older look-up key."""
        return int(self._db.value("SELECT count(*) FROM credential WHERE lookup < ?", max(self._keys.mailbox)))

    def compare(self, password: str, phc: str, counted: bytes) -> Generator[Work, Any, None]:
        """Refused "credentials" unless the password fits; nobody's own fits to nothing. "later" after many failures.

        An attempt counts as failed when it begins, so that a hundred at once are a hundred; it is forgiven if it fits.
        """
        now = self._room.now()
        fails, ends = self._db.one("SELECT fails, ends FROM failure WHERE who = ?", counted) or (0, 0)
        if ends - FORGIVEN > now:
            raise messages.Refused("later", ends - FORGIVEN - now)
        wait = min(1 << (fails + 1 - FREE), LONGEST_WAIT) if fails >= FREE else 0
        self._db.execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", (counted, fails + 1, now + wait + FORGIVEN))
        right = yield lambda: passwords.fits(password[:LONGEST_PASSWORD], phc)
        if not right or phc is self._nobody:
            raise messages.Refused("credentials")
        self._db.execute("DELETE FROM failure WHERE who = ?", (counted,))

    def _counted_on(self, index: bytes, raw: bytes, device: str) -> bytes:
        """On what failures count: on a browser that this person has signed in with before, else on the mailbox.

        So that who guesses delays strangers, and never the owner at their own browser (OWASP: device cookies).
        """
        with suppress(messages.Refused):
            person, _, scope = capabilities.read(self._keys.capability, device, self._room.now())
            if (person, scope) == (raw, "device"):
                return _digest(device)[:16]
        return index

    def _redeem_ticket(self, ticket: str, mailbox: str, *, peek: bool = False) -> messages.Redeemed:
        row = self._db.one("SELECT kind, ref, mailbox FROM ticket WHERE id = ?", ticket)
        if row is None or row[1] is None:
            return messages.Redeemed("nothing")
        if peek or row[0] in ("changed", "proved"):
            return messages.Redeemed(row[0], messages.ref_name(row[1]), ticket)
        if mailbox and self.index(mailbox) != row[2]:
            return messages.Redeemed("astray")
        secret = secrets.token_urlsafe(24)
        # A letter that is sent again carries a new secret; only the last one is good.
        self._db.execute("UPDATE ticket SET secret = ? WHERE id = ?", (_digest(secret), ticket))
        return messages.Redeemed(row[0], messages.ref_name(row[1]), ticket, secret)

    def _link(self, guest: bytes, owner: bytes) -> messages.Proved:
        """Nothing is moved or sealed anew: the owner's capability opens the guest's records too. Theirs for good."""
        self._db.execute("INSERT OR IGNORE INTO link VALUES (?, ?)", (guest, owner))
        if guest == owner or self._credential(guest) is not None or guest not in self.own(owner):
            raise messages.Refused("taken")  # and the step is undone
        self._db.execute("DELETE FROM ticket WHERE ref = ? AND kind = 'invite'", (guest,))
        self._room.note(guest, {"did": "claim"})
        return messages.Proved("claim", messages.Session(messages.ref_name(guest), 0, ""))

    def _shown(self, ask: messages.Prove) -> tuple[str, bytes, bytes]:
        sql = "SELECT kind, ref, mailbox, secret FROM ticket WHERE id = ? AND ends > ?"
        row = self._db.one(sql, ask.ticket, self._room.now())
        if row is None or row[3] is None or not hmac.compare_digest(row[3], _digest(ask.secret)):
            raise messages.Refused("ticket")
        return row[0], row[1], row[2]

    def _ticket(self, kind: str, raw: bytes | None, index: bytes) -> str:
        ticket = secrets.token_urlsafe(16)
        row = (ticket, kind, raw, index, self._room.now() + HOURS[kind] * 3600)
        self._db.execute("INSERT INTO ticket VALUES (?, ?, ?, ?, NULL, ?)", row)
        return ticket

    def _set_password(self, raw: bytes, index: bytes, phc: str) -> None:
        sql = "INSERT INTO credential VALUES (?, ?, ?, ?, ?) ON CONFLICT (ref) DO UPDATE SET phc = excluded.phc"
        self._db.execute(sql, (raw, index, phc, WAITING, max(self._keys.mailbox)))
        self._end_links(raw, "change", "recover")  # whoever knew the former one may have begun a change
        self._persons.raise_epoch(raw)
        self._room.note(raw, {"did": "password"})

    def _end_links(self, raw: bytes, *kinds: str) -> None:
        """What was mailed about this person before is good for nothing any more."""
        for kind in kinds:
            self._db.execute("DELETE FROM ticket WHERE ref = ? AND kind = ?", (raw, kind))

    def is_reached_by(self, raw: bytes, mailbox: str) -> bool:
        """Whether this is the mailbox that the person gave: the one of their first letter, until another is proved.

        With the first letter ends a credential that nobody proved and that is for another mailbox: it was put on the
        blank before they took it.
        """
        index, known = self.index(mailbox), self._db.value("SELECT mailbox FROM reached WHERE ref = ?", raw)
        if known is None:
            row = self._credential(raw)
            if row is not None and row[2] != PROVED and row[0] != index:
                self._db.execute("DELETE FROM credential WHERE ref = ?", (raw,))
                self._persons.raise_epoch(raw)
            self._db.execute("INSERT INTO reached VALUES (?, ?)", (raw, index))
        return known in (None, index)

    def _prove_mailbox(self, raw: bytes, index: bytes) -> None:
        """Whoever proves a mailbox signs in with it. One that another person proved before stays theirs."""
        if self._proved_by_other(raw, index):
            raise messages.Refused("taken")
        sql = "UPDATE credential SET standing = ? WHERE mailbox = ? AND ref <> ? AND standing = ?"
        self._db.execute(sql, (WAITING, index, raw, CLAIMED))
        self._db.execute("INSERT OR REPLACE INTO reached VALUES (?, ?)", (raw, index))
        self._db.execute("UPDATE credential SET standing = ? WHERE ref = ? AND mailbox = ?", (PROVED, raw, index))

    def _proved_by_other(self, raw: bytes, index: bytes) -> bool:
        sql = "SELECT 1 FROM credential WHERE mailbox = ? AND ref <> ? AND standing = ?"
        return self._db.one(sql, index, raw, PROVED) is not None

    def _credential(self, raw: bytes) -> Any:
        """Mailbox hash, password hash and standing; or None."""
        return self._db.one("SELECT mailbox, phc, standing FROM credential WHERE ref = ?", raw)

    def holder(self, capability: str) -> tuple[bytes, str]:
        """Whose capability this is, and its scope. Refused "capability" for one that is over or of an older epoch."""
        raw, epoch, scope = capabilities.read(self._keys.capability, capability, self._room.now())
        if self._db.value("SELECT epoch FROM person WHERE ref = ?", raw) != epoch:
            raise messages.Refused("capability")
        return raw, scope

    def own(self, raw: bytes) -> set[bytes]:
        """A person, and the guests whom they have claimed."""
        return {raw, *(guest for (guest,) in self._db.execute("SELECT ref FROM link WHERE owner = ?", (raw,)))}

    def owner(self, capability: str) -> bytes:
        """The person whose own capability this is. Refused "capability"."""
        raw, scope = self.holder(capability)
        if scope != "own":
            raise messages.Refused("capability")
        return raw

    def session(self, raw: bytes) -> messages.Session:
        epoch = self._persons.epoch(raw)
        key, now = self._keys.capability, self._room.now()
        device = capabilities.issue(key, raw, secrets.randbits(32), now, "device", DEVICE_LIFE)
        return messages.Session(messages.ref_name(raw), epoch, capabilities.issue(key, raw, epoch, now), device)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _named(mailbox: str) -> bytes:
    name = unicodedata.normalize("NFKC", mailbox).strip().casefold()
    if "@" not in name or len(name) > LONGEST_MAILBOX:
        raise messages.Refused("mailbox")
    return b"mailbox\0" + name.encode()


def _hashed(password: str) -> Generator[Work, Any, Any]:
    """Refused "password" for one that is too short or too long to be one."""
    if not 8 <= len(password) <= LONGEST_PASSWORD:
        raise messages.Refused("password")
    return (yield lambda: passwords.hash_password(password))
