"""A mail relay by script: for each connection what it does, then good manners. It counts everything it is asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWERS = {
    "421": "421 4.3.2 closing", "450": "450 4.2.1 greylisted", "451": "451 4.7.1 greylisted", "452": "452 4.2.2 full",
    "550": "550 5.1.1 no such mailbox", "554": "554 5.7.1 not this text",
}  # fmt: skip


class Relay:
    """`script`: one word a connection, as in `_talk`; after the last it takes everything."""

    def __init__(self, *script: str) -> None:
        self.script, self.taken, self.connections = list(script), list[str](), 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(30)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            line, _address = self._socket.accept()
            if self._stop.is_set():
                line.close()
                return
            self.connections += 1
            with line, contextlib.suppress(OSError, ssl.SSLError):
                line.settimeout(20)
                self._talk(line, self.script.pop(0) if self.script else "")

    def _talk(self, line: socket.socket, how: str) -> None:
        """One connection.

        hello-421; rcpt-550, ...; text-451, ...: that answer, there. drop: the line breaks after the text, which was not
        kept; slow: each answer comes byte by byte; mute: none comes; strangers, tls: TLS by nobody we trust, asked for
        or at once.
        """
        if how == "mute":
            self._stop.wait(5)
            return
        if how == "tls":
            _shake_hands(line)
            return
        place, _, code = how.partition("-")
        say = self._slowly if how == "slow" else _say
        say(line, ANSWERS[code] if place == "hello" else "220 relay")
        with line.makefile("rb") as heard:
            to = ""
            while word := heard.readline().decode().strip():
                match word.split(" ")[0].upper():
                    case "EHLO":
                        say(line, "250-relay\r\n250 STARTTLS" if how == "strangers" else "250 relay")
                    case "STARTTLS":
                        say(line, "220 go on")
                        _shake_hands(line)
                        return
                    case "RCPT":
                        to = word.partition("<")[2].partition(">")[0]
                        say(line, ANSWERS[code] if place == "rcpt" else "250 ok")
                    case "DATA":
                        say(line, "354 go on")
                        while heard.readline() not in (b".\r\n", b""):
                            pass
                        if how == "drop":
                            return
                        if place != "text":
                            self.taken.append(to)
                        say(line, ANSWERS[code] if place == "text" else "250 taken")
                    case "QUIT":
                        say(line, "221 bye")
                        return
                    case _:
                        say(line, "250 ok")

    def _slowly(self, line: socket.socket, text: str) -> None:
        for byte in f"{text}\r\n".encode():
            line.sendall(bytes([byte]))
            time.sleep(0.002)


def _say(line: socket.socket, text: str) -> None:
    line.sendall(f"{text}\r\n".encode())


def _shake_hands(line: socket.socket) -> None:
    """TLS with a certificate that names this machine and that nobody but we ourselves vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem = key.private_bytes(serialization.Encoding.PEM, *form)
        file.write(pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    context.wrap_socket(line, server_side=True).close()


@contextlib.contextmanager
def relay(*script: str) -> Iterator[Relay]:
    made = Relay(*script)
    try:
        yield made
    finally:
        made.close()


def nobody_listens() -> int:
    """A port where no connection is taken."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
