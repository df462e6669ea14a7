"""Whatever holds the root key does the same: one suite for a file and for OpenBao, which is the server itself."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bao import Bao
from tests.shape.tree import ROOT
from troth.pledge import kms
from troth.pledge.kms import RootKeyError, Where

KEY = secrets.token_bytes(32)


@pytest.fixture(params=["file", "openbao", "openbao in a namespace"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    if request.param == "file":
        return Where("file", tmp_path / "keys" / "root.key")
    openbao: Bao = request.getfixturevalue("openbao")
    return openbao.where(namespace="shops", mount="keys") if "namespace" in request.param else openbao.where()


def test_a_key_that_is_not_there_is_not_made_by_looking(where: Where) -> None:
    with pytest.raises(RootKeyError):
        kms.find(where)
    kms.find(where, make=True)
    wrapped = kms.find(where).wrap(b"c", KEY)
    assert kms.find(where, make=True).unwrap(b"c", wrapped) == KEY  # made twice it is the same key


def test_what_is_wrapped_opens_with_its_context_alone_and_never_twice_alike(where: Where) -> None:
    key = kms.find(where, make=True)
    one, two = key.wrap(b"own sign 1", KEY), key.wrap(b"own sign 1", KEY)
    assert one != two
    assert KEY not in one
    assert kms.find(where).unwrap(b"own sign 1", one) == KEY
    for context in (b"own sign 2", b"own sign", b""):
        with pytest.raises(RootKeyError):
            key.unwrap(context, one)


def test_every_byte_counts(where: Where) -> None:
    key = kms.find(where, make=True)
    wrapped = key.wrap(b"c", KEY)
    for place in range(len(wrapped)):
        altered = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(RootKeyError):
            key.unwrap(b"c", altered)
    for cut in (b"", wrapped[:3], wrapped[:20], wrapped[:-1]):
        with pytest.raises(RootKeyError):
            key.unwrap(b"c", cut)


def test_a_rotation_reads_the_old_until_it_is_retired_and_never_again(where: Where) -> None:
    key = kms.find(where, make=True)
    old = key.wrap(b"c", KEY)
    key.rotate()
    new = key.wrap(b"c", KEY)
    assert key.unwrap(b"c", old) == kms.find(where).unwrap(b"c", old) == KEY
    key.retire()
    key.retire()  # done again it changes nothing
    for again in (key, kms.find(where)):
        assert again.unwrap(b"c", new) == KEY
        with pytest.raises(RootKeyError):
            again.unwrap(b"c", old)
    key.rotate()
    key.retire()
    with pytest.raises(RootKeyError):
        key.unwrap(b"c", new)


def test_a_destroyed_key_is_gone_for_everybody(where: Where) -> None:
    key = kms.find(where, make=True)
    other = kms.find(where)
    wrapped = key.wrap(b"c", KEY)
    key.destroy()
    key.destroy()
    with pytest.raises(RootKeyError):
        key.wrap(b"c", KEY)
    with pytest.raises(RootKeyError):
        kms.find(where)
    fresh = kms.find(where, make=True)
    for one in (key, fresh) if where.kind == "file" else (key, other, fresh):
        with pytest.raises(RootKeyError):
            one.unwrap(b"c", wrapped)


def test_keys_beside_each_other_end_alone(where: Where) -> None:
    root = kms.find(where, make=True)
    with pytest.raises(RootKeyError):
        kms.find(where.beside("epoch-1"))
    one, two = (kms.find(where.beside(name), make=True) for name in ("epoch-1", "epoch-2"))
    wrapped = one.wrap(b"c", KEY)
    for other in (root, two):
        with pytest.raises(RootKeyError):
            other.unwrap(b"c", wrapped)
    assert kms.find(where.beside("epoch-1"), make=True).unwrap(b"c", wrapped) == KEY
    one.destroy()
    with pytest.raises(RootKeyError):
        kms.find(where.beside("epoch-1"))
    assert two.unwrap(b"c", two.wrap(b"c", KEY)) == root.unwrap(b"c", root.wrap(b"c", KEY)) == KEY


# Of the file alone


def test_a_root_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    where = Where("file", tmp_path / "root.key")
    kms.find(where, make=True)
    for mode in (0o640, 0o604, 0o644, 0o660):
        where.file.chmod(mode)
        with pytest.raises(RootKeyError, match=r"open to others; .*chmod 600"):
            kms.find(where)
    where.file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(where.file, 65534, 65534)
        with pytest.raises(RootKeyError, match="open to others"):
            kms.find(where)


def test_what_a_destroyed_file_held_is_overwritten(tmp_path: Path) -> None:
    where = Where("file", tmp_path / "root.key")
    key = kms.find(where, make=True)
    second = tmp_path / "second-name"
    second.hardlink_to(where.file)
    key.destroy()
    assert second.read_bytes() == bytes(32)


# Of OpenBao alone


@pytest.mark.parametrize("secret", [{"exportable": True}, {"allow_plaintext_backup": True}, {"derived": True}])
def test_a_key_that_could_be_copied_is_refused(openbao: Bao, secret: dict[str, bool]) -> None:
    where = openbao.where()
    openbao.root.secrets.transit.create_key(where.name, key_type="aes256-gcm96", **secret)
    with pytest.raises(RootKeyError, match="no closed aes256-gcm96 key"):
        kms.find(where)
    with pytest.raises(RootKeyError, match="no closed"):
        kms.find(where, make=True)


def test_retired_versions_are_trimmed_and_not_only_switched_off(openbao: Bao) -> None:
    where = openbao.where()
    key = kms.find(where, make=True)
    old = key.wrap(b"c", KEY)
    key.rotate()
    key.retire()
    told = openbao.root.secrets.transit.read_key(where.name)["data"]
    assert (told["min_available_version"], told["min_decryption_version"], list(told["keys"])) == (2, 2, ["2"])
    with pytest.raises(Exception, match="version"):
        openbao.root.secrets.transit.update_key_configuration(where.name, min_decryption_version=1)
    with pytest.raises(RootKeyError):
        key.unwrap(b"c", old)


def test_a_token_that_an_agent_replaces_is_read_again(openbao: Bao) -> None:
    where = openbao.where()
    key = kms.find(where, make=True)
    wrapped = key.wrap(b"c", KEY)
    file = Path(where.token_file)
    openbao.root.auth.token.revoke(file.read_text())
    with pytest.raises(RootKeyError, match=r"refuses the token in .*\.token"):
        key.unwrap(b"c", wrapped)
    file.write_text(openbao.root.auth.token.create(policies=[where.name])["auth"]["client_token"] + "\n")
    assert key.unwrap(b"c", wrapped) == KEY
    openbao.root.auth.token.revoke(file.read_text().strip())
    file.unlink()
    with pytest.raises(RootKeyError, match="cannot be read"):
        key.unwrap(b"c", wrapped)


def test_the_token_reaches_one_shops_keys_alone(openbao: Bao) -> None:
    mine, theirs = openbao.where(), openbao.where()
    kms.find(mine, make=True)
    with pytest.raises(RootKeyError, match="refuses the token"):
        kms.find(theirs._replace(token_file=mine.token_file), make=True)


def test_a_stranger_with_another_certificate_is_not_spoken_to(openbao: Bao) -> None:
    where = openbao.where()
    kms.find(where, make=True)
    with pytest.raises(RootKeyError, match="no answer that can be used"):
        kms.find(where._replace(ca_file=""))


@contextmanager
def answering(reply: bytes | None) -> Iterator[str]:
    """A port that answers every request with these bytes and hangs up; None: it never answers."""
    server, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                line.recv(65536)
                if reply is None:
                    over.wait(10)
                else:
                    line.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def http(status: str, body: bytes = b"{}") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "reply, says",
    [
        (http("503 Service Unavailable"), "is sealed"),
        (http("500 Internal Server Error", b'{"errors": ["secret-token"]}'), "no answer that can be used"),
        (http("200 OK", b"not json"), "no answer that can be used"),
        (http("200 OK", b'{"data": {}}'), "no answer that can be used"),
        (http("200 OK", b"[]"), "no answer that can be used"),
        (http("302 Found\r\nLocation: http://127.0.0.1:1/"), "no answer that can be used"),
        (http("403 Forbidden"), "refuses the token"),
        (http("404 Not Found"), "has no key"),
        (b"SSH-2.0-x\r\n", "no answer that can be used"),
        (b"", "no answer that can be used"),
    ],
)
def test_whatever_it_answers_is_one_clear_sentence(tmp_path: Path, reply: bytes, says: str) -> None:
    (tmp_path / "token").write_text("secret-token")
    with answering(reply) as url, pytest.raises(RootKeyError, match=says) as told:
        kms.find(Where("openbao", url=url, token_file=str(tmp_path / "token")))
    assert "secret-token" not in str(told.value)
    assert str(told.value).count("\n") == 0


def test_one_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from troth.pledge.kms import openbao

    assert max(openbao.TIMEOUT) <= 5
    monkeypatch.setattr(openbao, "TIMEOUT", (0.2, 0.2))
    (tmp_path / "token").write_text("t")
    with answering(None) as url, pytest.raises(RootKeyError, match="no answer"):
        kms.find(Where("openbao", url=url, token_file=str(tmp_path / "token")))
    with pytest.raises(RootKeyError, match="no answer"):
        kms.find(Where("openbao", url="http://127.0.0.1:9", token_file=str(tmp_path / "token")))


def test_a_shop_with_a_file_loads_no_client_of_a_key_service(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from troth.pledge import kms
import troth.pledge.keeper.main
kms.find(kms.Where("file", Path(sys.argv[1])), make=True)
print(sorted({"hvac", "requests"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", script, str(tmp_path / "root.key")]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_read_of_it_is_checked_before_it_is_used(openbao: Bao) -> None:
    """A deleted key is not made anew by wrapping: the engine makes keys that are not there."""
    where = openbao.where()
    key = kms.find(where, make=True)
    transit = openbao.root.secrets.transit
    transit.update_key_configuration(where.name, deletion_allowed=True)
    transit.delete_key(where.name)
    with pytest.raises(RootKeyError, match="has no key"):
        key.wrap(b"c", KEY)
    with pytest.raises(RootKeyError):
        kms.find(where)
