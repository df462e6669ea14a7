"""Tickets. What anybody wrote lies sealed to the customer; a ticket itself says what it is about, and how far it is.

Each change of state is a conditional update: `move` is True for exactly one caller.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.classes import Enclosure, Words
from troth.pledge.vault.fields import SealedField
from troth.pledge.vault.models import Person
from troth.shop.catalogue.models import Product
from troth.shop.orders.models import Order


def ticket_ref() -> str:
    return new_id("tkt")


def message_id() -> str:
    return new_id("msg")


def attachment_id() -> str:
    return new_id("att")


def parcel_id() -> str:
    return new_id("prc")


class Ticket(models.Model):
    """One conversation with one customer. `due_at`: until when we owe an answer; null where we owe none."""

    NEW, OPEN, WAITING, SOLVED, CLOSED = "new", "open", "waiting", "solved", "closed"
    OURS = (NEW, OPEN)  # it is our turn
    GOES_ON = (NEW, OPEN, WAITING, SOLVED)
    WEB, MAIL = "web", "mail"
    ref = models.CharField(primary_key=True, max_length=30, default=ticket_ref)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT)
    product = models.ForeignKey(Product, null=True, on_delete=models.SET_NULL)
    about = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="followed_by")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="merged")
    state = models.CharField(max_length=8, default=NEW)
    came_by = models.CharField(max_length=4, default=WEB)
    once = models.CharField(max_length=22, null=True, unique=True)  # null: no form's mark
    made_at = models.DateTimeField(default=clock.now)
    touched_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="ticket_by_turn")]

    def __str__(self) -> str:
        return self.ref

    @property
    def short(self) -> str:
        """Six characters for eyes; nothing is looked up by them."""
        return f"{self.ref[4:7]}-{self.ref[7:10]}".upper()

    def move(self, before: tuple[str, ...], after: str, **values: Any) -> bool:
        """Change the state. False if it was none of `before` any more: somebody was first."""
        values |= {"state": after, "touched_at": clock.now()}
        moved = Ticket.objects.filter(pk=self.pk, state__in=before).update(**values) == 1
        if moved:
            for name, value in values.items():
                setattr(self, name, value)
        return moved


class Message(models.Model):
    """What was written, by the customer, by us, or by us for us alone. `by`: the colleague's reference."""

    THEIRS, OURS, NOTE = "theirs", "ours", "note"
    id = models.CharField(primary_key=True, max_length=30, default=message_id)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    side = models.CharField(max_length=6)
    came_by = models.CharField(max_length=4, default=Ticket.WEB)
    by = models.CharField(max_length=30, blank=True)
    words = SealedField(personal=Words)
    masked = models.PositiveSmallIntegerField(default=0)  # card numbers that were made unreadable before it was sealed
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["ticket", "made_at"], name="message_in_order")]

    def __str__(self) -> str:
        return self.id


class Attachment(models.Model):
    """A file with a message. Its name, its media type and its key are sealed; it lies in pieces."""

    id = models.CharField(primary_key=True, max_length=30, default=attachment_id)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    enclosure = SealedField(personal=Enclosure)
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Piece(models.Model):
    """A piece of an attachment (pledge/vault/blobs.py)."""

    attachment = models.ForeignKey(Attachment, on_delete=models.CASCADE, related_name="pieces")
    n = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attachment", "n"], name="piece_once")]

    def __str__(self) -> str:
        return f"{self.attachment_id} {self.n}"


class Parcel(models.Model):
    """A mail as it came, sealed to the worker, until the worker has read it."""

    id = models.CharField(primary_key=True, max_length=30, default=parcel_id)
    sealed = models.BinaryField()
    came_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Heard(models.Model):
    """A mail that was dealt with, by a keyed hash of its Message-ID: it is never dealt with twice."""

    id = models.CharField(primary_key=True, max_length=64)
    sender = models.CharField(max_length=64)  # a keyed hash of the address: who sends far too much is not heard
    outcome = models.CharField(max_length=12)
    heard_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["sender", "heard_at"], name="heard_of_sender")]

    def __str__(self) -> str:
        return self.outcome
