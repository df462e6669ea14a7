"""DKIM (RFC 6376): the shop's own signature under its letters, with a key that `troth mailings dkim` makes.

rsa-sha256, relaxed/relaxed: what relays do to blanks does not break it. It covers List-Unsubscribe and
List-Unsubscribe-Post as well, or else no mail program offers the one click (RFC 8058, section 4). dkimpy brings headers
and body to their canonical form; OpenSSL signs, as dkimpy's own arithmetic takes longer than all else about a letter.
"""

from __future__ import annotations

import base64
import hashlib
import time
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

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
    from dkim.canonicalization import CanonicalizationPolicy

    form = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    headers, body = dkim.rfc822_parse(raw)
    said: dict[bytes, bytes] = dict(form.canonicalize_headers(headers))
    names = [name for name in SIGNED if name in said]
    head = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b; s=%b; t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
        domain.encode("idna"), mail.dkim_selector.encode(), int(time.time()), b":".join(names),
        base64.b64encode(hashlib.sha256(form.canonicalize_body(body)).digest()),
    )  # fmt: skip
    ((_name, own),) = form.canonicalize_headers([head.split(b":", 1)])
    told = b"".join(name + b":" + said[name] for name in names) + b"dkim-signature:" + own.rstrip(b"\r\n")
    made = base64.b64encode(_key(mail.dkim_key).sign(told, padding.PKCS1v15(), hashes.SHA256()))
    return head + b"\r\n ".join(made[at : at + 72] for at in range(0, len(made), 72)) + b"\r\n" + raw


@lru_cache(maxsize=2)
def _key(pem: str) -> rsa.RSAPrivateKey:
    """Read once: checking a key costs more than signing with it.

    TypeError for what is no RSA key: not ValueError, which would be about the letter, and end it for good.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the DKIM key is no RSA key")
    return key


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
