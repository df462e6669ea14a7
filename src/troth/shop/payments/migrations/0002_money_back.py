"""Refunds, disputes and differences; from here on the database itself refuses a step back."""

import django.db.models.deletion
from django.db import migrations, models

import troth.pledge.clock
import troth.shop.payments.models
from troth.pledge.forward import never_less, only_forward, refuse, set_once

PAYMENT = {
    "new": 0, "sent": 1, "pending": 2, "declined": 2, "cancelled": 2, "review": 3, "paid": 4, "refunded": 5,
    "reversed": 5, "regained": 6,
}  # fmt: skip
REFUND = {"asked": 0, "pending": 1, "failed": 2, "done": 3, "regained": 4}
DISPUTE = {"open": 0, "lost": 1, "won": 2}
CAME_BEFORE = """UPDATE payments_payment SET captured_minor = amount_minor, surplus = (reason = 'surplus')
WHERE state = 'paid'"""
# What was asked for stays what it was, once the money is there.
SETTLED = "OLD.state IN ('paid', 'refunded', 'reversed', 'regained')"
ALTERED = "(NEW.amount_minor <> OLD.amount_minor OR NEW.currency <> OLD.currency OR NEW.order_id <> OLD.order_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_money_back"),
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Difference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=10)),
                ("kind", models.CharField(max_length=30)),
                ("provider_ref", models.CharField(max_length=100)),
                ("ours_minor", models.BigIntegerField(null=True)),
                ("theirs_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("found_at", models.DateTimeField(default=troth.pledge.clock.now)),
                ("gone_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=10)),
                ("provider_ref", models.CharField(max_length=60)),
                ("state", models.CharField(default="open", max_length=10)),
                ("amount_minor", models.PositiveBigIntegerField(default=0)),
                ("stage", models.CharField(blank=True, max_length=40)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("outcome", models.CharField(blank=True, max_length=40)),
                ("answer_by", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(default=troth.pledge.clock.now)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=troth.shop.payments.models.refund_id, max_length=30, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=10)),
                ("kind", models.CharField(default="ours", max_length=10)),
                ("why", models.CharField(blank=True, max_length=30)),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("state", models.CharField(default="asked", max_length=10)),
                ("session", models.CharField(blank=True, max_length=100)),
                ("provider_ref", models.CharField(blank=True, max_length=120)),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("made_at", models.DateTimeField(default=troth.pledge.clock.now)),
                ("done_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RefundLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_minor", models.PositiveBigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="payment",
            name="captured_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="received_currency",
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name="payment",
            name="received_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunded_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunding_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="regained_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="surplus",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_minor__lte", models.F("captured_minor"))), name="refunded_within_captured"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("regained_minor__lte", models.F("refunded_minor"))), name="regained_within_refunded"
            ),
        ),
        migrations.AddField(
            model_name="difference",
            name="payment",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="payments.payment"),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="payments.payment"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
            ),
        ),
        migrations.AddField(
            model_name="refundline",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="orders.orderline"
            ),
        ),
        migrations.AddField(
            model_name="refundline",
            name="refund",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="payments.refund"
            ),
        ),
        migrations.AddConstraint(
            model_name="difference",
            constraint=models.UniqueConstraint(fields=("provider", "kind", "provider_ref"), name="difference_once"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(fields=("provider", "provider_ref"), name="dispute_once"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=("provider", "provider_ref"),
                name="refund_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="refund_of_something"),
        ),
        migrations.AddConstraint(
            model_name="refundline",
            constraint=models.UniqueConstraint(fields=("refund", "line"), name="refund_line_once"),
        ),
        migrations.RunSQL(CAME_BEFORE, migrations.RunSQL.noop),
        only_forward("payments_payment", "state", PAYMENT),
        never_less("payments_payment", "captured_minor"),
        never_less("payments_payment", "refunded_minor"),
        never_less("payments_payment", "regained_minor"),
        set_once("payments_payment", "capture_ref"),
        refuse(
            "payments_payment_settled",
            "payments_payment",
            f"{SETTLED} AND {ALTERED}",
            "a settled payment keeps its amount",
        ),
        only_forward("payments_refund", "state", REFUND),
        set_once("payments_refund", "provider_ref"),
        only_forward("payments_dispute", "state", DISPUTE),
    ]
