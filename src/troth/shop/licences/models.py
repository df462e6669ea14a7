"""Licences of order lines, where they are active, and keys in stock. No key stands here, and nobody's name."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.catalogue.models import Edition
from troth.shop.licences import secret
from troth.shop.orders.models import OrderLine


def licence_id() -> str:
    return new_id("lic")


class Licence(models.Model):
    """What a paid line gives for as long as the line stands: whether it has ended is said by the line alone."""

    id = models.CharField(primary_key=True, max_length=30, default=licence_id)
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="licences")
    number = models.PositiveSmallIntegerField(default=1)  # a line has several where its keys come from a stock
    key_hash = models.CharField(max_length=64, unique=True)  # secret.look_up
    key_hidden = models.BinaryField()  # secret.hide
    key_made_at = models.DateTimeField(default=clock.now)
    sites = models.PositiveIntegerField()  # as it was sold; 0: anywhere
    active = models.PositiveIntegerField(default=0)
    sold_until = models.DateField(null=True)  # as it was sold; renewals prolong `updates_until` (renewals.dates)
    updates_until = models.DateField(null=True)  # the last day whose releases belong to it; null: all there will be
    issued_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "number"], name="licence_once"),
            models.CheckConstraint(condition=Q(sites=0) | Q(active__lte=F("sites")), name="licence_within_sites"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def key(self) -> str:
        """The key to show to who may see the order."""
        return secret.show(bytes(self.key_hidden), self.key_hash)

    def replace_key(self, key_hash: str, hidden: bytes) -> bool:
        """From now on this key. False where another one came first: look again. Needs a transaction."""
        now, former = clock.now(), self.key_hash
        mine = Licence.objects.filter(pk=self.pk, key_hash=former)
        if mine.update(key_hash=key_hash, key_hidden=hidden, key_made_at=now) != 1:
            return False
        RetiredKey.objects.create(key_hash=former, licence=self, retired_at=now)
        return True


class RetiredKey(models.Model):
    """A key that was replaced: it opens nothing, and who uses it is told why."""

    key_hash = models.CharField(primary_key=True, max_length=64)
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT)
    retired_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key_hash[:8]


class Activation(models.Model):
    """One instance where a licence is in use, known by a keyed hash of the name that it gave itself."""

    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="activations")
    instance_hash = models.CharField(max_length=64)
    activated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["licence", "instance_hash"], name="activation_once")]

    def __str__(self) -> str:
        return f"{self.licence_id} {self.instance_hash[:8]}"


class StockKey(models.Model):
    """A key from elsewhere, for one edition. With a line it is reserved or sold; it never goes to a second one."""

    key_hash = models.CharField(max_length=64, unique=True)
    key_hidden = models.BinaryField()
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="stock_keys")
    line = models.ForeignKey(OrderLine, null=True, on_delete=models.PROTECT, related_name="stock_keys")
    imported_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["edition", "id"], name="stock_free", condition=Q(line__isnull=True))]

    def __str__(self) -> str:
        return self.key_hash[:8]


class LowStock(models.Model):
    """An edition whose stock has run low, as the owner was told; the row goes when it is refilled."""

    edition = models.OneToOneField(Edition, primary_key=True, on_delete=models.CASCADE)
    since = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.edition_id)
