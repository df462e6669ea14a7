"""What the shop and a payment provider say to each other, whoever the provider is.

The shop asks for a payment and later looks what became of it; the provider answers with what it saw. Nothing here
names a buyer: what we send is the amount, our references and the item's name (promise P2), and what providers tell
beyond need is cut off before it leaves this package (promise P13).

A `Sight` is evidence, not a decision. Whoever settles a payment compares its amount, currency, payee and payment id
with the shop's own record, and only then believes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from troth.shop.money import Money


class State(StrEnum):
    """Where a payment stands at the provider."""

    OPEN = "open"  # the buyer has not paid (yet), or has to choose another way on the provider's page
    APPROVED = "approved"  # the buyer agreed; the money moves when we capture
    PENDING = "pending"  # on its way, may still fail: deliver nothing
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"  # ended without money: voided, expired, cancelled
    REFUNDED = "refunded"
    REVERSED = "reversed"  # taken back by the provider or a bank: charge-back
    UNKNOWN = "unknown"  # the provider said something we have no word for: look again, change nothing


# Reasons of an open payment that its buyer has to know: the money did not come that way, the same page has others.
ANOTHER_WAY = {"INSTRUMENT_DECLINED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"}


class Ask(msgspec.Struct, frozen=True):
    """All that a provider is ever told about a purchase. Nothing personal (P2).

    `request_id` is kept by the caller before the call and given again on every retry (PayPal keeps it for six hours).
    `locale` is a BCP 47 tag such as "en" or "de-AT". URLs are absolute.
    """

    payment_id: str
    order_ref: str
    amount: Money
    item_name: str
    return_url: str
    cancel_url: str
    status_url: str
    locale: str
    request_id: str
    brand_name: str


class Begun(msgspec.Struct, frozen=True):
    """A payment that waits for its buyer at `pay_url`.

    `payee` is the account that PayPal named as the receiver; worth keeping, to be compared when the money comes.
    """

    provider_ref: str
    pay_url: str
    payee: str = ""


class Back(StrEnum):
    """Where money that goes back stands at the provider."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Returned(msgspec.Struct, frozen=True):
    """A movement of money back, as the provider lists it: our refund, one begun at the provider's, or a bank's.

    `ours` is our refund's id as the *provider* reports it, empty where it said nothing of it. `ref` is the provider's
    own name of the movement, empty where it gave none. `amount` may be in the currency of the shop's account there.
    """

    ref: str
    amount: Money | None
    state: Back
    ours: str = ""
    capture_ref: str = ""
    reversal: bool = False
    reason: str = ""


class RefundAsk(msgspec.Struct, frozen=True):
    """Money to give back. `whole`: all that is left of the payment; `received`: what the account got for all of it.

    `request_id` is the refund's own, and given again on every retry. `status_url` is where news may be sent to.
    """

    refund_id: str
    payment_id: str
    capture_ref: str
    amount: Money
    of: Money
    received: Money | None
    whole: bool
    request_id: str
    status_url: str = ""


class Case(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    LOST = "lost"
    WON = "won"


class DisputeSight(msgspec.Struct, frozen=True):
    """A dispute as the provider shows it, without a word of what anybody wrote in it."""

    ref: str
    state: Case
    capture_ref: str
    amount: Money | None
    stage: str
    reason: str
    outcome: str
    answer_by: datetime | None = None


class Entry(msgspec.Struct, frozen=True):
    """One movement in the provider's own books. `back`: money that left us; `about`: the capture it belongs to."""

    ref: str
    amount: Money
    back: bool
    final: bool
    payment_id: str
    about: str
    reversal: bool = False


class Sight(msgspec.Struct, frozen=True):
    """What a look at the provider saw.

    `payment_id` is ours as the *provider* reports it, empty where it said nothing of it. `amount` is None where it
    was not told or is no amount of a currency the shop takes: a paid sight without an amount matches no order.
    For refunds and reversals the amount is the one taken back, which may be a part. `payee` is the merchant account
    that got the money, `capture_ref` the provider's name for the movement of money, `reason` a code of the provider,
    never free text. `payer_country` (ISO 3166 alpha-2 or alpha-3, as told) is evidence for tax. `refunds` are the
    movements of its money back, where the look showed them; `received` is what the account got, where its currency is
    another.
    """

    state: State
    provider_ref: str
    payment_id: str
    amount: Money | None
    payee: str
    capture_ref: str
    reason: str
    payer_country: str = ""
    refunds: tuple[Returned, ...] = ()
    received: Money | None = None


class Message(msgspec.Struct, frozen=True):
    """A webhook or status post whose signature was right, cut down to the fields declared here.

    `event_id` is the same for the same message, however often it is sent. `sight` is None for news that do not say
    where a payment stands (disputes, kinds we do not know). `kept` holds codes, ids, amounts and times only.
    `refund_ref` and `dispute_ref` are the provider's names of what it is about, `capture_ref` of the payment's money.

    A message is a reason to `look`: PayPal signs a CRC-32, which is no hash, and Skrill leaves some fields unsigned.
    Money is believed from a look over TLS, or from a message only where its provider says that it may.
    """

    event_id: str
    kind: str
    provider_ref: str
    payment_id: str
    sight: Sight | None
    kept: dict[str, str]
    refund_ref: str = ""
    dispute_ref: str = ""
    capture_ref: str = ""


class ProviderError(Exception):
    """Base of what goes wrong between us and a provider. `code` is short and never personal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ProviderDown(ProviderError):
    """No usable answer: time-out, cut line, 5xx, 429, garbage. It may have acted all the same: look, then repeat."""


class ProviderRefused(ProviderError):
    """A definite no. `code` is the provider's issue code (or ours, in lower case, for what we did not even send)."""


class SessionOver(ProviderError):
    """A prepared refund is no longer known. It may have acted: look, and only then prepare another."""


class Forged(ProviderError):
    """A message that cannot be the provider's: signature, certificate or shape is wrong. It must change nothing."""


class Provider(Protocol):
    """A payment provider: `name` is its word in URLs and tables, `payee` the account money has to reach.

    `payee` is empty where only the provider knows it (PayPal: compare with `Begun.payee`).
    Every verb may raise ProviderDown or ProviderRefused.
    """

    @property
    def name(self) -> str: ...

    @property
    def payee(self) -> str: ...

    @property
    def by_own_id(self) -> bool:
        """Whether `look` needs no `provider_ref`: a payment whose opening got lost can be looked up all the same."""
        ...

    def begin(self, ask: Ask) -> Begun:
        """Open a payment and say where to send the buyer."""
        ...

    def look(self, provider_ref: str, payment_id: str) -> Sight:
        """Ask the provider where a payment stands. Changes nothing there."""
        ...

    def capture(self, provider_ref: str, payment_id: str, request_id: str) -> Sight:
        """Take the money of an approved payment, once, however often this is called."""
        ...

    def receive(self, headers: Mapping[str, str], body: bytes) -> Message:
        """Verify a message and cut it down. Raises Forged; on ProviderDown answer 5xx, and it will come again."""
        ...

    def returned(self, query: Mapping[str, str]) -> str:
        """Which payment the buyer's return address speaks of, or "". It says where to look and proves nothing."""
        ...

    def prepare_refund(self, ask: RefundAsk) -> str:
        """What has to be kept before `refund` is called, or "" where there is no such step."""
        ...

    def refund(self, ask: RefundAsk, session: str) -> Returned:
        """Give money back, once for one `request_id` (PayPal) or one session (Skrill).

        ProviderRefused is a definite no. ProviderDown: perhaps done, perhaps not; look, then repeat.
        """
        ...

    def returned_money(
        self, provider_ref: str, capture_ref: str, begin: datetime, end: datetime
    ) -> tuple[Returned, ...]:
        """All movements back of one payment that the provider shows; between these times where it asks for times."""
        ...

    def look_refund(self, ref: str) -> Returned | None:
        """One movement by the provider's name of it; None where the provider has no such question."""
        ...

    def look_dispute(self, ref: str) -> DisputeSight:
        """Where a dispute stands."""
        ...

    def books(self, begin: datetime, end: datetime) -> Iterator[Entry]:
        """The provider's own list of movements, whole days in UTC or more."""
        ...

    def examine(self, webhook_url: str) -> Iterator[tuple[bool, str, str]]:
        """(right?, what was seen, how to mend it), as sentences. Moves no money and changes nothing."""
        ...
