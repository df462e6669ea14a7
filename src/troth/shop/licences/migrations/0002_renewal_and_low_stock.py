import django.db.models.deletion
from django.db import migrations, models

import troth.pledge.clock


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0004_hours_and_renewal"),
        ("licences", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LowStock",
            fields=[
                (
                    "edition",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="catalogue.edition",
                    ),
                ),
                ("since", models.DateTimeField(default=troth.pledge.clock.now)),
            ],
        ),
        migrations.AddField(
            model_name="licence",
            name="sold_until",
            field=models.DateField(null=True),
        ),
        # What was sold before this was never renewed.
        migrations.RunSQL("UPDATE licences_licence SET sold_until = updates_until", migrations.RunSQL.noop),
    ]
