"""security.txt (RFC 9116): where somebody who found a hole writes to. It is made when it is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from troth.config import Config

LASTS = timedelta(days=182)  # as long as the shop answers, the contact is good
PATH = "/.well-known/security.txt"


def text(config: Config, now: datetime) -> str:
    """Its lines, from [shop]. The contact page takes questions where the shop has no address for mail."""
    public = config.web.public_url.rstrip("/")
    contacts = [f"mailto:{config.shop.contact_email}"] if config.shop.contact_email else []
    if urlsplit(public).scheme == "https" or not contacts:
        contacts.append(f"{public}/contact")
    expires = (now + LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        *(f"Contact: {contact}" for contact in contacts),
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {config.shop.language}",
        f"Canonical: {public}{PATH}",
        f"Policy: {public}/contact",
    ]
    return "\n".join(lines) + "\n"
