"""What is said to the keeper's part for lawful disclosure: msgspec's tagged structs, as to the office.

`capability` and `fresh` are those of somebody at the desk. A scope travels as the bytes that were approved: their hash
is what approvals are bound to, so nobody encodes it twice.
"""

import msgspec

from troth.pledge.keeper.messages import Message, Place, Record, decoder

FILE, KEY = "file", "key"  # what a scope calls files; the field of a record that is a file's key, which never leaves


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the document asks for. `fields`: class -> fields; dates in Unix seconds; `persons`: of how many."""

    fields: dict[str, list[str]]
    persons: int
    since: int
    until: int


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is handed over, on which basis, to whom. Whatever changes in it, changes its hash."""

    case: str
    salt: bytes  # 16 random bytes: its hash in the public ledger confirms no guess
    basis: str  # rules.BASES
    grounds: list[str]
    action: str  # "current" or "pending"; "" where the basis names none
    statement: bytes  # SHA-256 of what is written of the action and the grounds, which lies sealed elsewhere
    country: str
    document: bytes  # SHA-256
    recipient: str  # an age recipient, age1…
    checked: list[str]  # rules.CHECKED
    asked: Asked
    fields: dict[str, list[str]]
    since: int
    until: int
    places: list[Place]  # every record there is to open, and none besides
    notice_days: int  # between filing and handing over, in which the customer knows
    bar_until: int = 0  # Unix seconds: somebody forbade to tell the customer, until then


class Question(Message, frozen=True):
    pass


class Answer(Message, frozen=True):
    pass


class File(Question, frozen=True):
    """Put a scope up for approval. Another one of the same case voids what was approved before."""

    capability: str
    fresh: str
    scope: bytes


class Approve(Question, frozen=True):
    """Exactly the scope with this hash."""

    capability: str
    fresh: str
    case: str
    hash: bytes


class Register(Question, frozen=True):
    """An outside approver's Ed25519 public key (32 bytes). It is good from three days later on."""

    capability: str
    fresh: str
    key: bytes


class Sign(Question, frozen=True):
    """An outside approver's signature over rules.SIGNED_AS and the hash. Whoever sits at the desk brings it."""

    capability: str
    case: str
    hash: bytes
    key: bytes
    signature: bytes


class HandOver(Question, frozen=True):
    """Open the records of an approved scope and seal them to its recipient. Asked again, the same bundle.

    `files`: the sealed pieces (vault/blobs.py) of each file whose key one of the records is, by that record's row.
    """

    capability: str
    fresh: str
    scope: bytes
    records: list[Record]
    files: dict[str, list[bytes]] = {}


class Prolong(Question, frozen=True):
    """Another document forbids to tell the customers, until later than before. Noted in the public ledger."""

    capability: str
    fresh: str
    case: str
    document: bytes
    until: int


class Drop(Question, frozen=True):
    """A case that ends without a disclosure: nothing is handed over any more."""

    capability: str
    fresh: str
    case: str


class Look(Question, frozen=True):
    capability: str
    case: str


class Who(Question, frozen=True):
    """A customer by the exact mailbox, or all references of one: an account and the guests it claimed."""

    capability: str
    fresh: str
    mailbox: str = ""
    ref: str = ""


class Rehearse(Question, frozen=True):
    """Worker only: what opens in a rehearsal that leaves nothing behind, and what was handed over so far."""


class Standing(Answer, frozen=True):
    """How a case stands with the keeper. `hash`: of the scope that was filed; empty: none is."""

    hash: bytes = b""
    filer: str = ""
    filed: int = 0
    approved: list[str] = []  # who has, and whose word still counts
    mine: bool = False  # whether who asks could approve it now
    needed: int = 0
    able: int = 0  # how many here could approve
    outside: bool = False
    ready: bool = False  # could be handed over this second
    waits_until: int = 0  # the earliest second, as things stand
    handed: int = 0


class Handed(Answer, frozen=True):
    sealed: bytes  # age, to the scope's recipient
    records: int
    approvals: int  # 1: by one alone, after three days' wait


class Persons(Answer, frozen=True):
    refs: list[str]


class Rehearsed(Answer, frozen=True):
    """`opened`: what the rehearsal handed over and must not; `shut`: the other way round.

    `handed`: hashes (hex) of scopes that were handed over, ever.
    """

    opened: list[str]
    shut: list[str]
    handed: list[str]


read_question, read_answer = decoder(Question).decode, decoder(Answer).decode
read_scope = msgspec.msgpack.Decoder(Scope).decode
encode = msgspec.msgpack.encode
