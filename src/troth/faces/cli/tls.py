"""TLS in the web process itself: a certificate that can be used, and a fresh one taken up when the files change."""

from __future__ import annotations

import os
import signal
import ssl
import threading
from pathlib import Path

from troth.config import Config, ConfigError

GLANCE = 30.0  # seconds between looks at the files


def usable(config: Config) -> tuple[Path, Path] | None:
    """The certificate and its key, tried. ConfigError where they cannot be used; None where none are set."""
    pair = config.certificate
    if pair is not None and not _fit(*pair):
        where = f"{config.home / 'troth.toml'}: [web] certificate"
        raise ConfigError([f"{where} and certificate_key cannot be used: two PEM files that fit, readable by web."])
    return pair


def follow(certificate: Path, key: Path, glance: float = GLANCE) -> None:
    """End this process in peace when a new pair lies there and fits: it is started again at once and reads it.

    A pair that does not fit, as in the middle of a renewal, is left alone.
    """
    threading.Thread(target=_follow, args=(certificate, key, glance), name="certificate", daemon=True).start()


def _follow(certificate: Path, key: Path, glance: float) -> None:
    first, pause = _marks(certificate, key), threading.Event()
    while True:
        pause.wait(glance)
        if _marks(certificate, key) not in (first, None) and _fit(certificate, key):
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _marks(*paths: Path) -> list[tuple[int, int]] | None:
    try:
        return [(path.stat().st_mtime_ns, path.stat().st_ino) for path in paths]
    except OSError:
        return None


def _fit(certificate: Path, key: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_none)
    except (OSError, ssl.SSLError, ValueError):
        return False
    return True


def _none() -> str:
    raise ValueError("the key has a password, and nobody is here to type it")
