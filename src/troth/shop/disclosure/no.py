"""What the keeper's no means to who works on a disclosure, in one sentence each."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.door import KeeperRefused
from troth.shop.refusal import Refused
from troth.shop.staff import no as at_desk

SENTENCES = {
    "basis": _("This is on none of the three bases of promise P12, or lacks its grounds: refuse it."),
    "checked": _("Look into everything on the list first, and tick it: the call-back above all."),
    "wider": _("That is wider than the document asks: name no more customers, fields or days than it does."),
    "notice": _("Customers are told at least a day before, or a bar forbids it until a day within three years."),
    "recipient": _("That is no age recipient: it begins with age1. Ask whoever sent the document for it."),
    "filer": _("You filed this, and enough others can approve it: they have to."),
    "scope": _("The scope is not the one that was approved: look at the case again."),
    "unready": _("It is not approved yet, or the customer's notice is not over: the case says until when."),
    "done": _("This case is over: something was handed over, or it was closed."),
    "outsider": _("This key is not registered, or not for three days yet."),
    "signature": _("The signature does not fit this scope and key: have it signed again."),
    "restricted": _("A customer in it asked to be forgotten: narrow the case to the others, or wait."),
    "gone": _("A customer in it has been forgotten: nothing of theirs opens any more. Narrow the case again."),
}


def said(refused: KeeperRefused, field: str = "") -> Refused:
    sentence = SENTENCES.get(refused.code)
    return at_desk.said(refused, field) if sentence is None else at_desk.DeskRefused(refused.code, sentence, field)
