from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_held"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="moved_at",
            field=models.DateTimeField(null=True),
        ),
    ]
