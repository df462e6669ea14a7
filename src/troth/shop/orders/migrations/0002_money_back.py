"""What of a line goes back, and whether its access has ended; an order moves forward only."""

from django.db import migrations, models

from troth.pledge.forward import only_forward

ORDER = {"open": 0, "cancelled": 1, "expired": 1, "paid": 2, "refunded": 3}


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="ended",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="orderline",
            name="returned_minor",
            field=models.PositiveBigIntegerField(default=0),
        ),
        only_forward("orders_order", "state", ORDER),
    ]
