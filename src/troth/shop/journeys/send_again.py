"""Send again: every letter with how far it got, and the one verb that sends it once more.

A letter is held where its errand was given up without the relay's last word, or its row is gone: nothing happens to it
by itself. What was written to whom is kept by nobody, so a letter is written anew each time it leaves.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.shop.delivery import often
from troth.shop.delivery.models import Letter
from troth.shop.journeys import redeliver
from troth.shop.journeys.look_up import Mark
from troth.shop.refusal import Refused

PAGE = 50
GOODS = ("deliver", redeliver.KIND)
# The errand that writes a letter, where it is not named like it.
ERRANDS = {"renew": "remind", "erase": "erase-ask", "erasing": "erase", "erased": "erase"}
OF_THEIR_OWN = ("change", "changing")  # their errand knows them by a ticket: it goes on, or ends, by itself
WAITING, HELD, SENT, REFUSED, BOUNCED = STATES = ("waiting", "held", "sent", "refused", "bounced")


class Shown(msgspec.Struct, frozen=True):
    """A letter as the desk lists it. `state`: one of STATES; `next_at`: when it is tried next by itself."""

    letter: Letter
    state: str
    next_at: datetime | None

    @property
    def again(self) -> bool:
        """Whether the verb does something to it."""
        if self.letter.kind in OF_THEIR_OWN:
            return False
        return self.state != SENT or (self.letter.kind in GOODS and self.letter.order_id is not None)


def listed(state: str = "", kind: str = "", before: Mark | None = None) -> tuple[list[Shown], bool]:
    """A page of letters, the newest first, and whether there are older ones. `before`: the last one shown."""
    rows = _of_state(state).select_related("order")
    if kind:
        rows = rows.filter(kind=kind)
    if before:
        rows = rows.filter(queued_at__lte=before.at).exclude(queued_at=before.at, id__gte=before.name)
    found = list(rows.order_by("-queued_at", "-id")[: PAGE + 1])
    return shown(found[:PAGE]), len(found) > PAGE


def shown(found: list[Letter]) -> list[Shown]:
    """These letters with the errands that they wait for. One query."""
    waiting = [one for one in found if one.state == Letter.QUEUED]
    rows = Due.objects.filter(subject__in=[one.subject for one in waiting], gave_up_at=None) if waiting else []
    when = {(row.kind, row.subject): row.run_after for row in rows}
    return [_shown(one, when.get(_errand(one))) for one in found]


def stuck() -> list[Shown]:
    """Letters that nobody got and nobody was sent since: refused, came back, or held. The oldest first."""
    newer = Letter.objects.filter(order=OuterRef("order"), kind__in=GOODS, queued_at__gt=OuterRef("queued_at"))
    bad = Q(state__in=(Letter.FAILED, Letter.BOUNCED)) & ~Q(kind="redirected")
    lying = Letter.objects.filter(state__in=(Letter.QUEUED, Letter.FAILED, Letter.BOUNCED))
    rows = (
        lying.filter(bad | _held())
        .exclude(last_code=often.CODE)
        .exclude(Q(kind__in=GOODS) & Q(Exists(newer)))
        .select_related("order")
    )
    return shown(list(rows.order_by("queued_at", "id")[:PAGE]))


def letter(letter_id: str) -> None:
    """Send it once more. Refused for one that arrived and holds no goods, or goes on by itself."""
    row = Letter.objects.select_related("order").filter(pk=letter_id).first()
    if row is None or row.kind in OF_THEIR_OWN:
        raise Refused(_("This letter is not sent again from here."))
    if row.state == Letter.QUEUED:
        due.hasten(*_errand(row))
    elif row.kind in GOODS and row.order is not None:
        redeliver.ask(row.order)
    elif row.state == Letter.SENT:
        raise Refused(_("The relay has this letter. Only letters with goods are sent a second time."))
    else:
        with transaction.atomic():
            lost = Letter.objects.filter(pk=row.pk, state__in=(Letter.FAILED, Letter.BOUNCED))
            if lost.update(state=Letter.QUEUED, queued_at=clock.now(), sent_at=None) == 1:
                due.hasten(*_errand(row))


def _of_state(state: str) -> QuerySet[Letter]:
    of = {SENT: Letter.SENT, REFUSED: Letter.FAILED, BOUNCED: Letter.BOUNCED}
    if state in of:
        return Letter.objects.filter(state=of[state])
    if state == HELD:
        return Letter.objects.filter(_held())
    if state == WAITING:
        return Letter.objects.filter(state=Letter.QUEUED).exclude(_held())
    return Letter.objects.all()


def _held() -> Q:
    """Queued, and no errand will look at it."""
    running = Due.objects.filter(subject=OuterRef("subject"), gave_up_at=None)
    own = ~Q(kind__in=(*ERRANDS, *OF_THEIR_OWN))
    return Q(state=Letter.QUEUED) & own & ~Q(Exists(running.filter(kind=OuterRef("kind"))))


def _errand(row: Letter) -> tuple[str, str]:
    return ERRANDS.get(row.kind, row.kind), row.subject


def _shown(row: Letter, next_at: datetime | None) -> Shown:
    if row.state == Letter.QUEUED:
        held = next_at is None and row.kind not in (*ERRANDS, *OF_THEIR_OWN)
        return Shown(row, HELD if held else WAITING, next_at)
    return Shown(row, {Letter.FAILED: REFUSED, Letter.BOUNCED: BOUNCED}.get(row.state, SENT), None)
