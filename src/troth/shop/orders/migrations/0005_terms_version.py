from django.db import migrations, models

from troth.pledge.forward import only_forward

ORDER = {"open": 0, "cancelled": 1, "expired": 1, "paid": 2, "refunded": 3}


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_coupons_and_renewal")]

    operations = [
        migrations.AddField(
            "order", "terms_version", models.CharField(blank=True, default="", max_length=12), preserve_default=False
        ),
        # On SQLite a table that is changed is made anew, without its trigger.
        only_forward("orders_order", "state", ORDER),
    ]
