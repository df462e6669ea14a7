from django.db import migrations, models

import troth.pledge.clock


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("version", models.CharField(max_length=12)),
                ("text", models.TextField()),
                ("since", models.DateTimeField(default=troth.pledge.clock.now)),
            ],
            options={
                "ordering": ["name", "-number"],
                "indexes": [models.Index(fields=["name", "version"], name="publication_version")],
                "constraints": [models.UniqueConstraint(fields=("name", "number"), name="publication_once")],
            },
        ),
    ]
