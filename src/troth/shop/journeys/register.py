"""Register: name, e-mail, password and postcode become an account. Never says that an address is known."""

from __future__ import annotations

from django.db import transaction

from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.shop import policy_version
from troth.shop.accounts import newcomer, passwords
from troth.shop.accounts.session import SignedIn, signed_in
from troth.shop.delivery.letters import queue
from troth.shop.journeys import choose, weigh


def register(
    name: str, email: str, password: str, postcode: str, mailings: bool = False, came_from: str = ""
) -> SignedIn | None:
    """Make the account; a letter to confirm the address is due. None if the keeper is away: then the account waits,
    and the letter says how to set a password. `mailings`: whether the box about news was ticked, whatever it offered.
    `came_from`: their IP address, against fraud alone. Refused for a password that is too easy."""
    passwords.check(password, name, email)
    with transaction.atomic():
        person, secret, _ = newcomer.make(name, email)
        newcomer.register(person, postcode, policy_version.current())
        choose.offered(person.ref, "register", mailings)
        weigh.registration(person, came_from)
        queue("confirm", person.ref, person)
    try:
        return signed_in(door().enrol(person.ref, secret, email, password))
    except (KeeperAway, KeeperRefused):
        return None
