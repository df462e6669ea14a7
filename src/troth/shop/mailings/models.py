"""Mailings and whom they go to. A recipient is a person's reference; the address is opened when the letter leaves."""

from __future__ import annotations

from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.models import Person
from troth.shop.catalogue.models import Release


def mailing_id() -> str:
    return new_id("mai")


def recipient_id() -> str:
    return new_id("rec")


class Mailing(models.Model):
    """One text to many. States move forward, each move is a conditional update; who stops one may begin it again."""

    DRAFT, SCHEDULED, SENDING, STOPPED, DONE = "draft", "scheduled", "sending", "stopped", "done"
    NEWS, RELEASE = "news", "release"  # the second is a service: to who is entitled to that release

    id = models.CharField(primary_key=True, max_length=30, default=mailing_id)
    kind = models.CharField(max_length=7, default=NEWS)
    title = models.CharField(max_length=120)
    text = models.TextField()  # Markdown
    segment = models.JSONField(default=dict)  # segments.Segment
    release = models.OneToOneField(Release, null=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=9, default=DRAFT)
    begins_at = models.DateTimeField(null=True)
    built_to = models.CharField(max_length=30, blank=True)  # the last person looked at, while rows are made
    made_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.id

    def move(self, before: tuple[str, ...], after: str, **values: object) -> bool:
        """True for exactly one caller."""
        return Mailing.objects.filter(pk=self.pk, state__in=before).update(state=after, **values) == 1


class Recipient(models.Model):
    """One person's copy. It leaves at most once: who takes it to send it is one, and nobody takes it twice.

    waiting; sending: taken, and the relay is being told; sent; unsure: we died while it was told, so that it may have
    left, and is not sent again; refused: the keeper does not open this person for it; failed: the relay never will;
    bounced, complained: what came back.
    """

    WAITING, SENDING, SENT, UNSURE = "waiting", "sending", "sent", "unsure"
    REFUSED, FAILED, BOUNCED, COMPLAINED = "refused", "failed", "bounced", "complained"

    id = models.CharField(primary_key=True, max_length=30, default=recipient_id)
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="recipients")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    # A hash under the worker's key, so that two persons with one mailbox get one letter; emptied when all have left.
    mailbox = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=10, default=WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_code = models.CharField(max_length=60, blank=True)
    next_at = models.DateTimeField(default=clock.now)
    taken_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing", "person"], name="recipient_once"),
            models.UniqueConstraint(
                fields=["mailing", "mailbox"], condition=~models.Q(mailbox=""), name="recipient_mailbox_once"
            ),
        ]
        indexes = [
            models.Index(fields=["mailing", "next_at"], name="recipient_next", condition=models.Q(state="waiting")),
            models.Index(fields=["person"], name="recipient_of_person"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def bounce_tag(self) -> str:
        """What stands in the envelope's sender (VERP), and comes back with a letter that could not be delivered."""
        return f"{self.id[4:]}-{_mac('bounce', self.id)[:12]}"

    @classmethod
    def by_bounce_tag(cls, tag: str) -> Recipient | None:
        """The row whose letter came back; None for a tag of nobody's or of somebody else's making."""
        name, _, mac = tag.lower().partition("-")
        row = cls.objects.filter(pk=f"rec_{name}").first()
        return row if row is not None and constant_time_compare(mac, _mac("bounce", row.id)[:12]) else None


def preferences_key(person_ref: str) -> str:
    """The part of a letter's link that authorises its reader to choose what we may write. It stays good."""
    return _mac("preferences", person_ref)[:40]


def _mac(what: str, name: str) -> str:
    return salted_hmac(f"troth.mailings.{what}", name, algorithm="sha256").hexdigest()
