import django.db.models.deletion
from django.db import migrations, models

import troth.pledge.clock
import troth.shop.renewals.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("licences", "0002_renewal_and_low_stock"),
        ("orders", "0005_terms_version"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=troth.shop.renewals.models.reminder_id, max_length=30, primary_key=True, serialize=False
                    ),
                ),
                ("about", models.CharField(max_length=30)),
                ("until", models.DateField()),
                ("days", models.PositiveSmallIntegerField()),
                ("made_at", models.DateTimeField(default=troth.pledge.clock.now)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("about", "until", "days"), name="reminder_once")],
            },
        ),
        migrations.CreateModel(
            name="Renewal",
            fields=[
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="renewal",
                        serialize=False,
                        to="orders.orderline",
                    ),
                ),
                ("months", models.PositiveSmallIntegerField()),
                ("paid_on", models.DateField()),
                (
                    "licence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="renewals", to="licences.licence"
                    ),
                ),
            ],
        ),
    ]
