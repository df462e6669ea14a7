"""Readers in a shop of real processes: `python -m tests.mailings.readers NUMBER`, in the folder TROTH_HOME.

Makes them, waits until the shop's worker has told the keeper that they allowed news, lets a mailing to them begin, and
waits until it is done. Prints JSON, a line each: the readers' pages; what became of their copies; seconds until the
list was made, and until the last copy had left.
"""

import json
import os
import sys
import time
from collections.abc import Callable

PATIENCE = 1800.0  # seconds


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > deadline:
            sys.exit("waited in vain")
        time.sleep(0.1)


def make(email: str, page_of: Callable[[str], str]) -> tuple[str, str, str]:
    """(mailbox, person, path of their page) of somebody who allowed news and followed a link to their mailbox."""
    from django.db import transaction

    from troth.pledge import clock
    from troth.pledge.due import loop as due
    from troth.pledge.rights.models import Consent
    from troth.pledge.vault.classes import Contact as ContactData
    from troth.pledge.vault.fields import seal
    from troth.pledge.vault.models import Person
    from troth.shop.accounts.models import Contact
    from troth.shop.mailings import consent

    until(lambda: Person.objects.filter(taken_at__isnull=True).exists())
    with transaction.atomic():
        person, _ = Person.take()
        contact = Contact(person=person, state=Contact.CURRENT, followed_at=clock.now())
        seal(contact, "contact", ContactData("Reader", email))
        contact.save(force_insert=True)
        consent.say([person.ref], Consent.GIVEN, "account", words=consent.YES)
        due.add("consent", person.ref)
    return email, person.ref, page_of(person.ref)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.faces.settings"
    import django

    django.setup()
    from troth.pledge.rights.models import Consent
    from troth.shop.journeys import choose, mailing
    from troth.shop.mailings.models import Mailing
    from troth.shop.mailings.segments import Segment

    names = [f"reader{number}@d{number % 7}.example" for number in range(int(sys.argv[1]))]
    readers = [make(name, choose.page_of) for name in names]
    until(lambda: not Consent.objects.filter(carried_at__isnull=True).exists())
    made = mailing.compose("News from Fernhill", "There is a **new** guide.", Segment())
    assert mailing.reach(made) == len(readers)
    print(json.dumps({email: path for email, _, path in readers}), flush=True)
    began = time.monotonic()
    mailing.send(made)
    until(lambda: Mailing.objects.get(pk=made.pk).state in (Mailing.SENDING, Mailing.DONE))
    built = time.monotonic() - began
    until(lambda: Mailing.objects.get(pk=made.pk).state == Mailing.DONE)
    done = time.monotonic() - began
    ended = dict(made.recipients.values_list("person", "state"))
    print(json.dumps({email: ended.get(ref, "") for email, ref, _ in readers}), flush=True)
    print(json.dumps([built, done]), flush=True)


if __name__ == "__main__":
    main()
