"""An order may be held before anybody can pay it, and be open again."""

from django.db import migrations

from troth.pledge.forward import only_forward

ORDER = {"open": 0, "held": 0, "cancelled": 1, "expired": 1, "paid": 2, "refunded": 3}


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_for_the_desk"),
    ]

    operations = [
        only_forward("orders_order", "state", ORDER),
    ]
