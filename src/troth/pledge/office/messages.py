"""What is said to the office, inside the keeper's message of that name: msgspec's tagged structs as there.

`capability`: that of somebody at the desk; with Join, Plant and Enter their own, from their sign-in. `fresh`: shown by
a second factor within five minutes. References are persons', as everywhere.
"""

import msgspec

from troth.pledge.keeper.messages import Message, decoder


class Question(Message, frozen=True):
    pass


class Answer(Message, frozen=True):
    pass


class Invite(Question, frozen=True):
    """`token`: SHA-256 of the secret in the link, which the keeper never sees before it is used."""

    capability: str
    fresh: str
    token: bytes
    roles: list[str]
    kind: str


class Join(Question, frozen=True):
    capability: str
    secret: str


class Plant(Question, frozen=True):
    """A new secret for one's app, good after Enter has seen a code of it. Refused where one has a factor already."""

    capability: str


class Enter(Question, frozen=True):
    """`code`: of one's app, or a recovery code, which is good once. Or `passkey`, with the challenge it answers."""

    capability: str
    code: str = ""
    challenge: str = ""
    passkey: str = ""


class Renew(Question, frozen=True):
    """The second factor again, before what is grave."""

    capability: str
    code: str = ""
    challenge: str = ""
    passkey: str = ""


class Passkeys(Question, frozen=True):
    """One's own, and which of them count at the desk."""

    capability: str


class Count(Question, frozen=True):
    """Let a passkey of one's own count as a second factor from now on, or no longer."""

    capability: str
    fresh: str
    passkey: str
    counts: bool


class Leave(Question, frozen=True):
    capability: str


class Me(Question, frozen=True):
    capability: str
    fresh: str = ""


class Roster(Question, frozen=True):
    capability: str


class Attest(Question, frozen=True):
    """The owner's word that this is an employee's account (or an agency's), in these roles, until then."""

    capability: str
    fresh: str
    ref: str
    roles: list[str]
    kind: str
    until: int


class Put(Question, frozen=True):
    """`state`: "suspended", "active" again, "ended"; or "reviewed", which says that all stays as it is."""

    capability: str
    fresh: str
    ref: str
    state: str


class Take(Question, frozen=True):
    """A job on one customer: by reference, or found by the exact mailbox. `reason`: a hash of why.

    `loud`: break the glass, whatever one's role, with a fresh factor.
    """

    capability: str
    job: str
    purpose: str
    reason: bytes
    until: int
    ref: str = ""
    mailbox: str = ""
    loud: bool = False
    fresh: str = ""


class Redirect(Question, frozen=True):
    """Out of an open job for support: this guest's letters came back from `former` and go to `mailbox`, as told."""

    capability: str
    job: str
    ref: str
    former: str
    mailbox: str


class Close(Question, frozen=True):
    capability: str
    job: str


class Muster(Question, frozen=True):
    """Worker only: how the roster stands, in numbers, and what opens in a rehearsal that leaves nothing behind."""


class Done(Answer, frozen=True):
    pass


class Planted(Answer, frozen=True):
    secret: bytes  # for one's app (RFC 6238: SHA-1, six digits, thirty seconds)


class Known(Answer, frozen=True):
    passkeys: list[tuple[str, int, bool]]  # id, when it was made, whether it counts


class Entered(Answer, frozen=True):
    capability: str
    fresh: str
    recovery: list[str] = []  # codes, with the first proof of an app: told once


class Colleague(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ref: str
    roles: list[str]  # as attested
    kind: str
    state: str  # joined, active, suspended, ended
    until: int  # Unix seconds; 0: never attested
    reviewed: int
    second_factor: bool


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    persons: list[str]  # one customer: an account and the guests it claimed, or all with that mailbox
    purpose: str
    until: int
    loud: bool


class Seat(Answer, frozen=True):
    """Who asks: their roles now, and their open jobs. `glass`: how many jobs of anybody's break the glass now."""

    colleague: Colleague
    roles: list[str]
    fresh: bool
    jobs: list[Job]
    glass: int


class Colleagues(Answer, frozen=True):
    all: list[Colleague]


class Taken(Answer, frozen=True):
    job: Job
    owners: list[str]  # whom a letter tells that the glass was broken


class Mustered(Answer, frozen=True):
    """Numbers of colleagues; `opened`: what the rehearsal opened that must stay shut; `shut`: the other way round."""

    working: int
    unfit: int  # with power, and not attested as an employee's in time, or without a second factor
    oldest_review: int  # Unix seconds; 0: nobody works here
    jobs: int
    overdue: int  # jobs past their time that still run
    glass: int
    opened: list[str]
    shut: list[str]


read_question, read_answer = decoder(Question).decode, decoder(Answer).decode
encode = msgspec.msgpack.encode
