"""What a key is good for, and the sentence for one that is good for nothing."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from troth.pledge.prepared import Prepared
from troth.shop.licences import secret
from troth.shop.licences.keys import MOST
from troth.shop.licences.models import Licence, RetiredKey
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused


class NoLicence(Refused):
    """`code` for programs: unknown, replaced, refunded, disputed, revoked. The sentence is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Standing(msgspec.Struct, frozen=True):
    """A licence as it stands now, with what was bought. Hashable: equal standings give equal answers."""

    id: str
    line: int
    order: str
    edition: str
    product: str
    name: str
    sites: int
    active: int
    updates_until: date | None
    revoked_at: datetime | None
    ended: str
    order_state: str


_by_hash = Prepared(
    lambda key_hash: Licence.objects.filter(key_hash=key_hash).values_list(
        "id",
        "line_id",
        "line__order_id",
        "line__edition__code",
        "line__edition__product_id",
        "line__edition__product__name",
        "sites",
        "active",
        "updates_until",
        "revoked_at",
        "line__ended",
        "line__order__state",
    ),
    gaps=1,
)
_retired = Prepared(lambda key_hash: RetiredKey.objects.filter(key_hash=key_hash).values_list("retired_at"), gaps=1)


def facts(found_by: str) -> tuple[object, ...] | None:
    """What the database says of a key (secret.look_up) now, to compare with earlier; None for no licence's key."""
    rows = _by_hash.raw(found_by)
    return rows[0] if rows else None


def find(key: str) -> Standing:
    """The licence of a key that is in force. NoLicence, always the same one for every unknown key."""
    found_by = secret.look_up(key[: MOST + 1])
    row = _by_hash.first(found_by)
    if row is None:
        retired = _retired.first(found_by)
        if retired is None:
            raise NoLicence("unknown", _("This licence key is not known here; copy it once more from your order."))
        sentence = _("This licence key was replaced on {day}; the new one stands on your order's page.")
        raise NoLicence("replaced", sentence.format(day=retired[0].date()))
    standing = Standing(*row)
    code = ended(standing.order_state, standing.ended, standing.revoked_at)
    if code:
        raise NoLicence(code, why(code))
    return standing


def ended(order_state: str, line_ended: str, revoked_at: datetime | None) -> str:
    """Why a licence is not in force, or "". Money decides: it comes back with a dispute that was won."""
    if line_ended:
        return "disputed" if line_ended == "disputed" else "refunded"
    if order_state != Order.PAID:
        return "refunded"
    return "revoked" if revoked_at else ""


def why(code: str) -> str:
    """The sentence for people."""
    contact = f"{settings.TROTH.web.public_url.rstrip('/')}/contact"
    sentences = {
        "refunded": _("This licence has ended, as its price was paid back."),
        "disputed": _("This licence rests until the dispute about its payment is decided."),
        "revoked": _("This licence was revoked; if you do not know why, ask us: {contact}"),
    }
    return sentences[code].format(contact=contact)
