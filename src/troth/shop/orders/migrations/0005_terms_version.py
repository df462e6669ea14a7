from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_coupons_and_renewal")]

    operations = [
        migrations.AddField(
            "order", "terms_version", models.CharField(blank=True, default="", max_length=12), preserve_default=False
        ),
    ]
