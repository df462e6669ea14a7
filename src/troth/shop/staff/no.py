"""What the keeper's no means to who sits at the desk, in one sentence each."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from troth.pledge.vault.door import KeeperRefused
from troth.shop.refusal import Refused

SENTENCES = {
    "capability": _("Your session at the desk has ended; sign in again."),
    "credentials": _("E-mail and password do not fit together; try again."),
    "factor": _("That code is not good now: type the one that your app shows this minute. Each is good once."),
    "passkey": _("This passkey does not count at the desk, or it took too long: try again, or type a code."),
    "fresh": _("This needs your second factor again, from just now: type a code."),
    "power": _("Your role does not allow this. Ask the owner."),
    "purpose": _("None of your roles works for this purpose. Ask a colleague who has it, or the owner."),
    "job": _("This job is closed, over, or not yours. Take it up again if there is still something to do."),
    "unknown": _("Nobody here can be found by that, or it is no longer possible. Check what you typed."),
    "unready": _("They have not joined yet, or not set their second factor up: attest them after that."),
    "taken": _("They have an account: they change the address there themselves, with their password."),
    "gone": _("This customer has been forgotten: nothing of theirs opens any more."),
    "restricted": _("This customer asked to be forgotten: until that is done, nobody opens anything of theirs."),
    "seal": _("This record was altered or moved and does not open. Tell the owner: it is noted as an incident."),
    "ticket": _("This invitation is over or was used; ask the owner for a new one."),
    "shape": _("That cannot be right: look through what you filled in."),
    "mailbox": _("Type the whole e-mail address, such as name@example.org."),
}
WAIT = _("Too often: try again in %(minutes)d minutes.")
OTHER = _("That did not work; try again.")


class DeskRefused(Refused):
    def __init__(self, code: str, sentence: object, field: str = "") -> None:
        super().__init__(sentence, field)
        self.code = code


def said(refused: KeeperRefused, field: str = "") -> Refused:
    """The sentence for a person. `code` of the refusal stays readable for pages that act on it."""
    if refused.code in ("budget", "later"):
        return DeskRefused(refused.code, WAIT % {"minutes": max(1, -(-refused.after // 60))}, field)
    return DeskRefused(refused.code, SENTENCES.get(refused.code, OTHER), field)
