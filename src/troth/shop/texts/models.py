"""What the texts of law said, and since when: a row for each change, for as long as the shop lasts."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock


class Publication(models.Model):
    """A text as it was put before customers. `version` is a hash of what it says, `number` counts the changes.

    An owner who goes back to earlier words publishes them again, under the same version and another number.
    """

    name = models.SlugField(max_length=40)
    number = models.PositiveIntegerField()
    version = models.CharField(max_length=12)
    text = models.TextField()
    since = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name", "-number"]
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="publication_once")]
        indexes = [models.Index(fields=["name", "version"], name="publication_version")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
