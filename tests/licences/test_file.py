"""The licence file: PHP and Python verify it offline and agree on it; of ten thousand altered copies none verifies."""

import base64
import importlib.util
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from tests.campaign import draws
from tests.house import House
from tests.licences.bought import bought, key_of
from troth.shop.catalogue.models import Edition

ROOT = Path(__file__).resolve().parents[2]
COPIES = 10_000
JUDGE = """
require $argv[1];
while (($line = fgets(STDIN)) !== false) {
    try {
        troth_verify(base64_decode(trim($line)), $argv[2]);
        echo "1";
    } catch (RuntimeException $no) {
        echo "0";
    }
}
"""


def verifier():
    spec = importlib.util.spec_from_file_location("licence_verifier", ROOT / "verifiers" / "licence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_python(files: list[bytes], key: str) -> str:
    verify = verifier().verify

    def judged(file: bytes) -> str:
        try:
            verify(file, key)
        except ValueError:
            return "0"
        return "1"

    return "".join(judged(file) for file in files)


def by_php(files: list[bytes], key: str) -> str:
    php = shutil.which("php")
    if php is None:
        pytest.skip("no php here")
    lines = b"".join(base64.b64encode(file) + b"\n" for file in files)
    command = [php, "-r", JUDGE, "--", str(ROOT / "verifiers" / "licence.php"), key]
    done = subprocess.run(command, input=lines, capture_output=True, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr + done.stdout
    return done.stdout.decode()


@pytest.fixture
def file(house: House, edition: Edition) -> bytes:
    said = {"key": key_of(bought(house, edition))}
    answer = Client().post("/api/licence/file", json.dumps(said), content_type="application/json")
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def public_key(db: None) -> str:
    return Client().get("/.well-known/licence-key.json").json()["key"]


def alterations(file: bytes, draw: random.Random) -> Iterator[bytes]:
    """Copies that differ: bits, bytes, pieces, spellings that mean the same, other signatures, other payloads."""
    said = json.loads(file)
    payload = base64.b64decode(said["payload"])
    stranger = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))
    yield from (json.dumps(said).encode(), json.dumps(said, indent=1).encode(), file + b"\n", file[:-1], b"", file * 2)
    yield file.replace(b"\n", b"\r\n")
    yield file.replace(b'=="', b'"')
    while True:
        at = draw.randrange(len(file))
        kind = draw.randrange(7)
        if kind == 0:
            yield file[:at] + bytes([file[at] ^ 1 << draw.randrange(8)]) + file[at + 1 :]
        elif kind == 1:
            yield file[:at] + draw.choice(b'ABab01+/= \\"').to_bytes(1, "big") + file[at:]
        elif kind == 2:
            yield file[:at] + file[at + draw.randrange(1, 20) :]
        elif kind == 3:
            other = payload.replace(b'"sites":1', b'"sites":%d' % draw.randrange(2, 10**9))
            yield file.replace(said["payload"].encode(), base64.b64encode(other))
        elif kind == 4:
            signature = base64.b64encode(stranger.sign(payload + draw.randbytes(2))).decode()
            yield file.replace(said["signatures"][0]["sig"].encode(), signature.encode())
        elif kind == 5:  # the unused bits of the last symbol
            text = said["signatures"][0]["sig"]
            yield file.replace(text.encode(), (text[:-3] + draw.choice("BCDEFHIJ") + "==").encode())
        else:
            cut = draw.randrange(len(payload))
            yield file.replace(said["payload"].encode(), base64.b64encode(payload[:cut] + b" " + payload[cut:]))


def test_a_file_verifies_and_says_what_was_bought(file: bytes, public_key: str) -> None:
    fields = verifier().verify(file, public_key)
    assert (fields["product"], fields["edition"], fields["sites"]) == ("field-guide", "single", 1)
    assert set(fields) == {
        "licence", "shop", "product", "edition", "products", "packages", "sites", "updates_until", "instance",
        "issued_at",
    }  # fmt: skip
    assert by_php([file], public_key) == by_python([file], public_key) == "1"


def test_no_altered_copy_verifies_and_both_agree(file: bytes, public_key: str) -> None:
    made = alterations(file, draws("licence files"))
    copies = [copy for copy in (next(made) for _ in range(COPIES + 600)) if copy != file][:COPIES]
    assert len(copies) == COPIES
    assert by_python(copies, public_key) == "0" * COPIES
    assert by_php(copies, public_key) == "0" * COPIES


def test_the_file_of_another_shop_does_not_verify(file: bytes) -> None:
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    other = base64.b64encode(stranger).decode()
    assert by_php([file], other) == by_python([file], other) == "0"


def test_both_print_the_same_from_the_command_line(file: bytes, public_key: str, tmp_path: Path) -> None:
    path = tmp_path / "licence.json"
    path.write_bytes(file)
    said = [
        json.loads(subprocess.run([*line, str(path), public_key], capture_output=True, check=True).stdout)
        for line in ([sys.executable, ROOT / "verifiers/licence.py"], ["php", ROOT / "verifiers/licence.php"])
    ]
    assert said[0] == said[1]


def test_an_instance_has_a_file_once_it_is_active(house: House, edition: Edition, public_key: str) -> None:
    said = json.dumps({"key": key_of(bought(house, edition)), "instance": "shop.example"})

    def post(what: str):
        return Client().post(f"/api/licence/{what}", said, content_type="application/json")

    assert post("file").status_code == 409
    post("activate")
    assert verifier().verify(post("file").content, public_key)["instance"] == "shop.example"


def test_the_verifiers_are_short() -> None:
    for name in ("licence.php", "licence.py"):
        assert len((ROOT / "verifiers" / name).read_text().splitlines()) < 60
