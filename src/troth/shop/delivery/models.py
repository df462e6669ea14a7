"""What a paid order gives its buyer, and the letters that say so."""

from __future__ import annotations

from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.models import Person
from troth.shop.catalogue.models import Product
from troth.shop.orders.models import Order, OrderLine


def grant_id() -> str:
    return new_id("gra")


def letter_id() -> str:
    return new_id("let")


class Grant(models.Model):
    """Leave to download a product's releases, for a time and a number of times. A bundle's line has several."""

    id = models.CharField(primary_key=True, max_length=30, default=grant_id)
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="grants")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    ends_at = models.DateTimeField()
    limit = models.PositiveIntegerField()
    used = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)  # ranges of a counted download are free until then
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "product"], name="grant_once"),
            models.CheckConstraint(condition=models.Q(used__lte=models.F("limit")), name="grant_within_limit"),
        ]

    def __str__(self) -> str:
        return self.id


class Letter(models.Model):
    """One mail to one person: what about, and how far it got. Neither its text nor its address is kept.

    failed: the relay will never take it; bounced: the relay had it, and a report says that no mailbox took it.
    """

    QUEUED, SENT, FAILED, BOUNCED = "queued", "sent", "failed", "bounced"
    LEFT = (SENT, BOUNCED)  # the relay had it
    id = models.CharField(primary_key=True, max_length=30, default=letter_id)
    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=30)  # the id it is about: an order, a person, a ticket
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="letters")
    state = models.CharField(max_length=8, default=QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    last_code = models.CharField(max_length=60, blank=True)
    queued_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="letter_once")]
        indexes = [
            # The desk's list of letters, whole and by state: the first page of hundreds of thousands.
            models.Index(fields=["-queued_at", "-id"], name="letter_newest"),
            models.Index(fields=["state", "-queued_at", "-id"], name="letter_newest_of_state"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def bounce_tag(self) -> str:
        """What stands in the envelope's sender (VERP), and comes back with a letter that could not be delivered."""
        return f"{self.id[4:]}-{_mac(self.id)}"

    @classmethod
    def by_bounce_tag(cls, tag: str) -> Letter | None:
        """The letter that came back; None for a tag of nobody's, or of somebody else's making."""
        name, _, mac = tag.lower().partition("-")
        row = cls.objects.filter(pk=f"let_{name}").first()
        return row if row is not None and constant_time_compare(mac, _mac(row.id)) else None


def _mac(letter: str) -> str:
    return salted_hmac("troth.letter.bounce", letter, algorithm="sha256").hexdigest()[:12]
