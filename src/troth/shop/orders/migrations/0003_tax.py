"""What tax a line has, and whether a billing address is a business's."""

from django.db import migrations, models

# What was sold before this knew no tax: the price on the shelf was the whole.
SOLD_BEFORE = """UPDATE orders_orderline SET net_minor = unit_minor * quantity,
tax_country = (SELECT country FROM orders_order WHERE ref = orders_orderline.order_id)"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_money_back")]

    operations = [
        migrations.AddField("billing", "business", models.BooleanField(default=False)),
        migrations.AddField(
            "orderline", "net_minor", models.PositiveBigIntegerField(default=0), preserve_default=False
        ),
        migrations.AddField(
            "orderline", "tax_minor", models.PositiveBigIntegerField(default=0), preserve_default=False
        ),
        migrations.AddField("orderline", "rate", models.PositiveIntegerField(default=0), preserve_default=False),
        migrations.AddField(
            "orderline", "tax_country", models.CharField(max_length=2, default=""), preserve_default=False
        ),
        migrations.AddField(
            "orderline", "treatment", models.CharField(max_length=10, default="none"), preserve_default=False
        ),
        migrations.RunSQL(SOLD_BEFORE, migrations.RunSQL.noop),
    ]
