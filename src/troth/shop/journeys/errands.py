"""Everything the worker does, on one screen: a due row's kind, and the journey that works it off."""

from __future__ import annotations

from troth.pledge.due import loop as due
from troth.pledge.vault import outbox
from troth.shop.journeys import (
    audit,
    backup,
    bill,
    choose,
    deliver,
    dispute,
    export_opened,
    forget,
    glass,
    hear_mail,
    mail_out,
    publish,
    reconcile,
    refund,
    remind,
    retain,
    rotate,
    sweep,
    tell_of_policy,
    tell_of_releases,
    tell_owner,
    ticket_letters,
    tripwires,
    watch,
    withdraw,
    write_to,
)

ERRANDS: dict[str, due.Errand] = {
    "deliver": deliver.deliver,
    "bill": bill.bill,
    "hand-over": bill.hand_over,
    "look": watch.look,
    "abandon": watch.abandon,
    "refund": refund.give,
    "withdraw": withdraw.link,
    "withdrawn": withdraw.acknowledge,
    "dispute": dispute.look,
    "reconcile": reconcile.errand,
    "confirm": write_to.confirm,
    "recover": write_to.recover,
    "invite": write_to.invite,
    "change": write_to.change,
    "passkey-added": write_to.passkey("passkey-added"),
    "passkey-removed": write_to.passkey("passkey-removed"),
    "break-glass": glass.tell,
    "ticket-received": ticket_letters.received,
    "ticket-answer": ticket_letters.answered,
    "mail": hear_mail.hear,
    "mailbox": hear_mail.fetch,
    "conversations": hear_mail.end_conversations,
    "rotate": rotate.rotate,
    "note": outbox.carry,
    "publish": publish.publish,
    "tripwires": tripwires.plant,
    "breach": tell_owner.of_breach,
    "policy": tell_of_policy.one,
    "policy-tell": tell_of_policy.everybody,
    "stock-low": tell_owner.of_low_stock,
    "reminders": remind.plan,
    "remind": remind.remind,
    "acknowledge": tripwires.acknowledge,
    "audit": audit.ledger,
    "backup": backup.backup,
    "backups": backup.backups,
    "seen": sweep.seen,
    "blanks": sweep.blanks,
    "erase-ask": forget.ask,
    "erase": forget.erase,
    "erase-rest": forget.rest,
    "leftovers": retain.leftovers,
    "consent": choose.carry,
    "export": export_opened.open_rest,
    "mailing": mail_out.run,
    "mailing-test": mail_out.test,
    "releases": tell_of_releases.look,
}

# kind -> seconds between runs; written by `ensure` when a worker starts
PERIODIC = {
    "seen": 5,
    "blanks": 2,
    "publish": 10,
    "tripwires": 21600,
    "audit": audit.EVERY,
    "backups": 600,
    "mailbox": 60,
    "conversations": 3600,
    "leftovers": 3600,
    "releases": tell_of_releases.EVERY,
    "reconcile": reconcile.EVERY,
    "reminders": remind.EVERY,
}


def ensure() -> None:
    """The periodic rows exist. Safe to call by any number of workers."""
    for kind, every in PERIODIC.items():
        due.add(kind, "shop", every=every)
