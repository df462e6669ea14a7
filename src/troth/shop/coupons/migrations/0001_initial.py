import django.db.models.deletion
from django.db import migrations, models

import troth.pledge.clock


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalogue", "0004_hours_and_renewal"),
        ("orders", "0005_coupons_and_renewal"),
    ]

    operations = [
        migrations.CreateModel(
            name="Coupon",
            fields=[
                ("code", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("percent", models.PositiveSmallIntegerField(null=True)),
                ("minor", models.PositiveBigIntegerField(null=True)),
                ("currency", models.CharField(max_length=3)),
                ("least_minor", models.PositiveBigIntegerField(default=0)),
                ("starts_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("limit", models.PositiveIntegerField(null=True)),
                ("used", models.PositiveIntegerField(default=0)),
                ("once", models.BooleanField(default=False)),
                ("again", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField(default=troth.pledge.clock.now)),
                ("products", models.ManyToManyField(to="catalogue.product")),
            ],
        ),
        migrations.CreateModel(
            name="Use",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="coupon_use",
                        serialize=False,
                        to="orders.order",
                    ),
                ),
                ("once_person", models.CharField(max_length=40, null=True)),
                ("once_viewer", models.CharField(max_length=64, null=True)),
                ("taken_at", models.DateTimeField(default=troth.pledge.clock.now)),
                (
                    "coupon",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="coupons.coupon"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("minor__isnull", True), ("percent__range", (1, 100))),
                    models.Q(("minor__gt", 0), ("percent__isnull", True)),
                    _connector="OR",
                ),
                name="coupon_percent_or_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="use",
            constraint=models.UniqueConstraint(fields=("coupon", "once_person"), name="coupon_once_a_person"),
        ),
        migrations.AddConstraint(
            model_name="use",
            constraint=models.UniqueConstraint(fields=("coupon", "once_viewer"), name="coupon_once_a_browser"),
        ),
    ]
