"""What the web keeps of somebody who signed in: a reference, an epoch, and a capability for their cookie."""

from __future__ import annotations

import msgspec

from troth.pledge.keeper.messages import Session
from troth.shop.accounts.models import Account
from troth.shop.accounts.models import Session as Browser


class SignedIn(msgspec.Struct, frozen=True):
    person_ref: str
    epoch: int
    capability: str
    device: str = ""  # for this browser to keep: its failures to sign in are counted apart

    def __repr__(self) -> str:
        return "<signed in>"  # the capability is a key


def signed_in(session: Session) -> SignedIn:
    """Take the keeper's word: older sessions of this account are over from now on."""
    if Account.objects.filter(pk=session.ref, epoch__lt=session.epoch).update(epoch=session.epoch):
        Browser.objects.filter(account=session.ref).delete()
    return SignedIn(session.ref, session.epoch, session.capability, session.device)
