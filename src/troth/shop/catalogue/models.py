"""What is for sale. Nothing here is about a person."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock


class Product(models.Model):
    MODULE, BUNDLE, SERVICE = "module", "bundle", "service"
    slug = models.SlugField(primary_key=True, max_length=60)
    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=120)
    tagline = models.CharField(max_length=200)
    summary = models.TextField()
    description = models.JSONField(default=list)  # blocks: {"heading": …} | {"text": …} | {"list": [ … ]}
    compatibility = models.JSONField(default=list)  # lines of text
    package = models.CharField(max_length=120, blank=True)  # Composer name
    published = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(default=clock.now)
    includes = models.ManyToManyField("self", symmetrical=False, related_name="part_of")  # of a bundle

    class Meta:
        ordering = ["position", "slug"]
        indexes = [models.Index(fields=["position", "slug"], name="product_shelf", condition=models.Q(published=True))]

    def __str__(self) -> str:
        return self.name


class Edition(models.Model):
    """A way to buy a product: for one site, for developers, three months of care."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="editions")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    terms = models.CharField(max_length=200, blank=True)
    hours = models.PositiveSmallIntegerField(default=0)  # of work, that a service has in its price
    support_months = models.PositiveSmallIntegerField(default=0)
    sites = models.PositiveSmallIntegerField(default=1)  # where one licence may be active at a time; 0: anywhere
    update_months = models.PositiveSmallIntegerField(default=12)  # releases of so many months; 0: all there will be
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["product", "code"], name="edition_once")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.code}"


class Price(models.Model):
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    minor = models.PositiveBigIntegerField()
    renewal_minor = models.PositiveBigIntegerField(null=True)  # of the same months once more; null: not to be renewed

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "currency"], name="price_once")]

    def __str__(self) -> str:
        return f"{self.minor} {self.currency}"


class Release(models.Model):
    """A version that buyers may fetch. `file`: a name of the shop's own making; keeping.lies says where."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=40)
    released_on = models.DateField()
    file = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    sha1 = models.CharField(max_length=40, blank=True)  # for Composer, which compares no other
    manifest = models.JSONField(default=dict)  # of its composer.json what Composer is told; {}: it has none
    changes = models.JSONField(default=list)
    requires = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)  # newest first

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["product", "version"], name="release_once")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.version}"


class Draft(models.Model):
    """A version that was looked into and is not released: nobody but who works here sees it. Columns as a release's."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="drafts")
    version = models.CharField(max_length=40)
    file = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    sha1 = models.CharField(max_length=40, blank=True)
    manifest = models.JSONField(default=dict)
    changes = models.JSONField(default=list)
    requires = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-made_at"]
        constraints = [models.UniqueConstraint(fields=["product", "version"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.version}, not released"


class Picture(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pictures")
    file = models.CharField(max_length=200)  # below MEDIA_ROOT
    alt = models.CharField(max_length=300)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.file
