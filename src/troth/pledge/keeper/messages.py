"""What is said through a door: MessagePack, a length of four bytes (big-endian) before each message.

One question, one answer. An answer is the verb's own, or a Refusal with a code; a refusal never holds a value that
was asked about. The format is msgspec's tagged structs, so that a message of an unknown kind is refused in decoding.
"""

import functools
import operator
import struct
from typing import TypeVar

import msgspec

from troth.pledge.ids import SHAPE, from_bytes, to_bytes

LARGEST = 1 << 20  # bytes of one message
LENGTH = struct.Struct(">I")
Said = TypeVar("Said", bound="Message")
NEWEST = (1 << 63) - 1  # before all that ever is
NOBODY = "!"  # a tripwire's job: no opening can name it


class Message(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """What may be said, to the keeper or to a part of it."""


class Question(Message, frozen=True):
    """From web or worker: a verb of the same name in policy.VERBS and in keeper.py."""


class Answer(Message, frozen=True):
    """From the keeper."""


class Refused(Exception):
    """The keeper's no, with a code and nothing else. `after`: seconds to wait; `incident`: what the ledger is told."""

    code, incident = "fault", ""

    def __init__(self, code: str = "", after: int = 0, incident: str = "") -> None:
        self.code, self.after, self.incident = code or self.code, after, incident or self.incident
        super().__init__(self.code)


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Where a sealed value lies, and whose it is. Bound into the seal: moved, it opens nowhere."""

    table: str
    column: str
    row: str
    ref: str
    klass: str
    schema: int


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    place: Place
    sealed: bytes

    @property
    def version(self) -> int:
        """Of the key pair it was sealed to, as it says (seals.py); what it says wrongly does not open."""
        return int.from_bytes(self.sealed[2:4], "big")


class Hello(Question, frozen=True):
    """`checkpoint` (a signed note) and `erased`: what the main side saw of this keeper. Behind it, nothing opens."""

    checkpoint: str = ""
    erased: int = 0


class Blank(Question, frozen=True):
    """Make keys that are nobody's yet. Worker only; 1 to 500 at a time."""

    count: int


class Enrol(Question, frozen=True):
    """Give a person a mailbox and a password. `secret` is the blank's own and was wiped when it was taken."""

    ref: str
    secret: bytes
    mailbox: str
    password: str


class SignIn(Question, frozen=True):
    """`device`: what this browser was given when somebody signed in with it, if it was."""

    mailbox: str
    password: str
    device: str = ""


class Recover(Question, frozen=True):
    """Ask for a new password, or ("erase") to be forgotten. The answer is a ticket, for unknown mailboxes too."""

    mailbox: str
    kind: str = "recover"


class Redeem(Question, frozen=True):
    """Worker only: what a ticket is good for, or a new ticket for a person (`ref`) whose mailbox it just opened.

    kind with a ref: "confirm", "invite" or "erase", and the mailbox as it was opened; with a ticket: "" makes its
    secret, "peek" only looks.
    """

    ticket: str = ""
    ref: str = ""
    kind: str = ""
    mailbox: str = ""


class Prove(Question, frozen=True):
    """Hand back ticket and secret from a mail: the mailbox is proved. Sets the password where one is given.

    A ticket of kind "claim" is handed back with `capability`: whose it is has the guest's records from now on.
    """

    ticket: str
    secret: str
    password: str = ""
    capability: str = ""


class Change(Question, frozen=True):
    """Change one's own password, or ask to change the mailbox: needs the capability and the password."""

    capability: str
    password: str
    new_password: str = ""
    new_mailbox: str = ""


class Passkey(Question, frozen=True):
    """`does`: "ask" for a challenge, "sign in"; with one's own capability "list", "remove", "add" (and password)."""

    does: str
    ticket: str = ""  # the challenge
    passkey: str = ""  # what the browser made of it, as WebAuthn's toJSON() writes it; or the id of one to remove
    capability: str = ""
    password: str = ""


class Office(Question, frozen=True):
    """What people who work here ask, or is asked about them: a question of pledge/office/messages.py."""

    asked: bytes


class Disclosure(Question, frozen=True):
    """About a lawful disclosure: a question of pledge/disclosure/messages.py."""

    asked: bytes


class Open(Question, frozen=True):
    """Open records for a purpose and a job. `capability` is the person's own; the worker has none."""

    records: list[Record]
    purpose: str
    job: str
    capability: str = ""


class Consent(Question, frozen=True):
    """Allow an optional purpose, by one's own capability, or end it, the worker for a person too: its wrap is made
    or deleted. The worker shows the person's contact, so that a mailbox that objected is known again; `anew`: they
    allow it themselves, after all."""

    purpose: str
    allow: bool
    capability: str = ""
    ref: str = ""
    contact: Record | None = None
    anew: bool = False


class Restrict(Question, frozen=True):
    """Worker only: from now on a person opens for this job alone, as they are to be forgotten. "": as before.

    For the job NOBODY: they are none, nobody has reason to open them, and whoever does causes an incident, for good.
    """

    ref: str
    job: str


class Shred(Question, frozen=True):
    """Worker only: delete a person's wraps, all but those of the fates in `keep` ("tax"). Cannot be undone."""

    ref: str
    keep: list[str]


class Rotate(Question, frozen=True):
    """Worker only: one step of a rotation (pledge/rotation.py), begun if none is under way.

    For "lookup" with sealed contacts, and `last` when there are no more of them. For a "person" the same with `ref`
    and whatever is sealed to them.
    """

    what: str
    limit: int = 500
    records: list[Record] = []
    last: bool = False
    ref: str = ""


class Note(Question, frozen=True):
    """Write an everyday event into the ledger, in clear: nothing about a person. Each event id once."""

    event_id: str
    event: dict[str, str | int]


class Acknowledge(Question, frozen=True):
    """Worker only, for the owner: this many incidents are known and dealt with."""

    incidents: int


class Checkpoint(Question, frozen=True):
    """The ledger as it is, signed."""


class Tile(Question, frozen=True):
    """Worker only, to publish the ledger: tile `n` of a level, or of level -1 the entries from 256 * n on."""

    level: int
    n: int


class History(Question, frozen=True):
    """The newest entries about oneself, before number `before`, by one's own capability; or about a guest claimed."""

    capability: str
    before: int = NEWEST
    ref: str = ""


class Copy(Question, frozen=True):
    """Worker only: make a sealed copy of the keyring, by this name, or say whether it is made. Empty: end epochs."""

    name: str


class Attest(Question, frozen=True):
    """What the keeper can say of itself in public."""


class Refusal(Answer, frozen=True):
    code: str
    after: int = 0  # seconds until it is worth while to ask again


class Greeting(Answer, frozen=True):
    role: str
    verify_key: bytes  # Ed25519: signs key sets
    behind: str = ""  # why it opens nothing: what this keyring lacks of what the main side has seen


class FreshBlank(msgspec.Struct, frozen=True, array_like=True):
    ref: str
    key_set: bytes
    secret: bytes


class Blanks(Answer, frozen=True):
    blanks: list[FreshBlank]


class Session(Answer, frozen=True):
    """Somebody is who they say. `epoch` ends older sessions; `capability` opens their own data for a time.

    `device` is for this browser to keep: its failures to sign in are counted apart from everybody else's.
    """

    ref: str
    epoch: int
    capability: str
    device: str = ""


class Ticket(Answer, frozen=True):
    ticket: str


class Redeemed(Answer, frozen=True):
    """For the worker's letter.

    kind "nothing": no such mailbox, or the ticket is over; "astray": the letter would go to somebody else's mailbox;
    "taken": the mailbox has an account already; "changed": a change of mailbox was proved. Otherwise
    the ticket's own kind, with its secret unless it was only peeked at.
    """

    kind: str
    ref: str = ""
    ticket: str = ""
    secret: str = ""


class Proved(Answer, frozen=True):
    kind: str  # confirm, recover, invite, change, erase (with a session that opens nothing)
    session: Session


class Passkeys(Answer, frozen=True):
    passkeys: list[tuple[str, int]]  # of one person: id (base64url), when it was added (Unix seconds)


class Answered(Answer, frozen=True):
    """The answer of the office, or about a disclosure."""

    answer: bytes


class Opened(Answer, frozen=True):
    values: list[bytes]


class Done(Answer, frozen=True):
    """`number`: of the ledger's entry that says so. Of Shred how many persons were erased so far; of Copy 1 when the
    copy lies in the folder, 0 while it is being made: ask again."""

    number: int = 0


class Rotated(Answer, frozen=True):
    """`left` is 0 when the rotation has ended and the old key is destroyed.

    Of a person: their new `key_set`, and what was handed in, sealed to it.
    """

    done: int
    left: int
    key_set: bytes = b""
    sealed: list[bytes] = []


class Checkpointed(Answer, frozen=True):
    note: str  # C2SP tlog-checkpoint
    key: str  # the key that signed it (vkey)


class Piece(Answer, frozen=True):
    content: bytes


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A leaf about a person, with the event and the salt that it commits to."""

    seq: int
    leaf: bytes
    event: bytes
    salt: bytes


class Entries(Answer, frozen=True):
    """`more`: there are older ones."""

    entries: list[Entry]
    more: bool


class Attested(Answer, frozen=True):
    ledger_size: int
    erased: int
    separate_user: bool
    incidents: dict[str, int]  # what happened -> how often, since the owner last acknowledged
    poisoned: int = 0


def decoder(kind: type[Said]) -> msgspec.msgpack.Decoder[Said]:
    # What is raised here (msgspec.ValidationError, msgspec.DecodeError) may hold values in its text: never log it.
    return msgspec.msgpack.Decoder(functools.reduce(operator.or_, kind.__subclasses__()))


read_question, read_answer = decoder(Question).decode, decoder(Answer).decode


def raw_ref(ref: str) -> bytes:
    """The 16 bytes of a person's reference. Refused "shape" if it is not shaped like one."""
    if not SHAPE.match(ref):
        raise Refused("shape")
    return to_bytes(ref)


def ref_name(raw: bytes) -> str:
    return from_bytes("per", raw)


def encode(message: Message) -> bytes:
    return msgspec.msgpack.encode(message)


def frame(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body
