from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0003_for_licences"),
    ]

    operations = [
        migrations.AddField(
            model_name="edition",
            name="hours",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="price",
            name="renewal_minor",
            field=models.PositiveBigIntegerField(null=True),
        ),
    ]
