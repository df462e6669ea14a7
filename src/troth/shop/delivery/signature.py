"""DKIM (RFC 6376): the shop's own signature under its letters, by dkimpy, with a key that `troth mailings dkim` makes.

rsa-sha256, relaxed/relaxed: what relays do to blanks does not break it. It covers List-Unsubscribe and
List-Unsubscribe-Post as well, or else no mail program offers the one click (RFC 8058, section 4).
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from troth.config import Mail

SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"auto-submitted",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
BITS = 2048


def signed(raw: bytes, mail: Mail, domain: str) -> bytes:
    """The letter with its signature in front, or as it is where the shop has no key."""
    if not mail.dkim_key:
        return raw
    import dkim  # loaded where there is a key: it brings a resolver along

    headers = b"\n" + raw.partition(b"\r\n\r\n")[0].lower()
    head = dkim.sign(
        raw,
        mail.dkim_selector.encode(),
        domain.encode("idna"),
        mail.dkim_key.encode(),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name for name in SIGNED if b"\n" + name + b":" in headers],
    )
    return bytes(head) + raw


def make_key() -> str:
    """A fresh private key, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def record(pem: str, selector: str, domain: str) -> tuple[str, str]:
    """What stands in DNS for this key: the name, and the text of its TXT record (RFC 6376, section 3.6.1)."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
