"""What a coupon takes off an order, and which licence a line renews."""

from django.db import migrations, models

from troth.pledge.forward import only_forward

ORDER = {"open": 0, "cancelled": 1, "expired": 1, "paid": 2, "refunded": 3}


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0004_hours_and_renewal"),
        ("orders", "0004_forgotten"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="basketline",
            name="basket_line_once",
        ),
        migrations.AddField(
            model_name="basket",
            name="coupon",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="basketline",
            name="renews",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddField(
            model_name="order",
            name="coupon",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="orderline",
            name="off_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="orderline",
            name="renews",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AlterField(
            model_name="order",
            name="billing",
            field=models.ForeignKey(null=True, on_delete=models.deletion.PROTECT, to="orders.billing"),
        ),
        migrations.AlterField(
            model_name="order",
            name="country",
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddConstraint(
            model_name="basketline",
            constraint=models.UniqueConstraint(fields=("basket", "edition", "renews"), name="basket_line_once"),
        ),
        # On SQLite a table that is changed is made anew, without its trigger.
        only_forward("orders_order", "state", ORDER),
    ]
