"""A request for a document brings a proof that it may have it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]

    operations = [migrations.AddField("handover", "proof", models.BinaryField(default=b""))]
