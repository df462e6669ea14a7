import django.db.models.deletion
from django.db import migrations, models

import troth.pledge.clock
import troth.shop.entitlements.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("orders", "0005_terms_version"),
    ]

    operations = [
        migrations.CreateModel(
            name="Entitlement",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=troth.shop.entitlements.models.entitlement_id,
                        max_length=30,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("begins", models.DateField()),
                ("until", models.DateField(null=True)),
                ("minutes", models.PositiveIntegerField(default=0)),
                ("used", models.PositiveIntegerField(default=0)),
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entitlement", to="orders.orderline"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Work",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minutes", models.PositiveIntegerField()),
                ("what", models.CharField(blank=True, max_length=80)),
                ("done_at", models.DateTimeField(default=troth.pledge.clock.now)),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="works", to="entitlements.entitlement"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("used__lte", models.F("minutes"))), name="entitlement_within_hours"
            ),
        ),
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(condition=models.Q(("minutes__gt", 0)), name="work_of_some_time"),
        ),
    ]
