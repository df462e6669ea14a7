"""Figures, and those of what was issued before there were any."""

import msgspec
from django.db import migrations, models

from troth.shop.invoices import figures
from troth.shop.invoices.snapshot import Snapshot

SLICE = 500


def add_up(apps, schema_editor):
    """All invoices once, in slices; each slice's lines with one question."""
    invoices = apps.get_model("invoices", "Invoice").objects.order_by("pk")
    lines = apps.get_model("orders", "OrderLine").objects
    found, after = {}, ""
    while rows := list(invoices.filter(pk__gt=after)[:SLICE]):
        after = rows[-1].pk
        said = {row.pk: msgspec.json.decode(row.snapshot, type=Snapshot).lines for row in rows}
        wanted = {line.line for one in said.values() for line in one}
        products = dict(lines.filter(pk__in=wanted).values_list("pk", "edition__product"))
        new = (one for row in rows for one in figures.of(row, row.issued_at.date(), said[row.pk], products))
        found = figures.together([*found.items(), *new])
    keys, sums = figures.Key._fields, figures.SUMS
    made = [dict(zip((*keys, *sums), (*key, *had), strict=True)) for key, had in found.items()]
    figure = apps.get_model("invoices", "Figure")
    figure.objects.bulk_create([figure(**one) for one in made], batch_size=SLICE)


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0002_proof"),
        ("orders", "0006_for_the_desk"),
        ("catalogue", "0004_hours_and_renewal"),
    ]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("of", models.CharField(max_length=8)),
                ("begins", models.DateField()),
                ("kind", models.CharField(max_length=10)),
                ("currency", models.CharField(max_length=3)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("treatment", models.CharField(blank=True, max_length=10)),
                ("rate", models.PositiveIntegerField(default=0)),
                ("product", models.CharField(blank=True, max_length=60)),
                ("papers", models.PositiveBigIntegerField(default=0)),
                ("pieces", models.PositiveBigIntegerField(default=0)),
                ("net_minor", models.PositiveBigIntegerField(default=0)),
                ("tax_minor", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("product", ""), _negated=True), fields=["product"], name="figure_of_product"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("of", "begins", "kind", "currency", "country", "treatment", "rate", "product"),
                        name="figure_once",
                    )
                ],
            },
        ),
        migrations.RunPython(add_up, migrations.RunPython.noop),
    ]
