"""How the keeper keeps a password: Argon2id (RFC 9106) t=2, 19 MiB, p=1, as a PHC string, by pyca/cryptography."""

import secrets
from contextlib import suppress

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def hash_password(password: str) -> str:
    argon = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=2, lanes=1, memory_cost=19_456)
    return argon.derive_phc_encoded(password.encode())


def fits(password: str, phc: str) -> bool:
    with suppress(InvalidKey):
        Argon2id.verify_phc_encoded(password.encode(), phc)
        return True
    return False
