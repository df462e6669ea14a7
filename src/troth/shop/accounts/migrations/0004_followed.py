from typing import Any

from django.db import migrations, models


def keep_what_was_allowed(apps: Any, schema_editor: Any) -> None:
    """Who ticked the box when they registered said yes; from now on that is an event as every other choice."""
    rows = apps.get_model("accounts", "Account").objects.filter(mailings=True).values_list("person", "made_at")
    consent, due = apps.get_model("rights", "Consent"), apps.get_model("due", "Due")
    for person, made_at in rows.iterator():
        consent.objects.create(person_id=person, what="given", place="register", basis="consent", said_at=made_at)
        due.objects.get_or_create(kind="consent", subject=person)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_claim"), ("rights", "0002_consent"), ("due", "0001_initial")]

    operations = [
        migrations.RunPython(keep_what_was_allowed, migrations.RunPython.noop),
        migrations.RemoveField(model_name="account", name="mailings"),
        migrations.AddField(model_name="contact", name="followed_at", field=models.DateTimeField(null=True)),
    ]
