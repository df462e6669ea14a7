"""A large archive through the real servers: uploaded at the desk, looked into, released, and never held in memory."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.processes.running import Serving, everybody_below, troth
from tests.storefront.page import Page

pytestmark = pytest.mark.processes
MIB, MOST_MIB = 100, 16  # the archive; what the web may hold at once beyond what it held for a small one
EMAIL, PASSWORD = "olga@fernhill.example", "a long walk by the river"


class Owner:
    """A browser at the desk of a shop that is served."""

    def __init__(self, shop: Serving) -> None:
        self.shop = shop
        self.http = httpx.Client(base_url=shop.url, trust_env=False, timeout=120, follow_redirects=True)

    def sends(self, path: str, fields: dict[str, str], file: Path | None = None) -> httpx.Response:
        """The form at `path`, filled in and sent as a browser does; a file goes on its way in pieces."""
        answer = self.http.get(path)
        page = Page(answer.text)
        here = answer.url.path
        filled = page.form(here if here in page.actions else "") | fields
        told = {"Origin": self.shop.url, "Sec-Fetch-Site": "same-origin"}
        filled.pop("file", None)
        if file is None:
            return self.http.post(here, data=filled, headers=told)
        with file.open("rb") as archive:
            body = {"file": (file.name, archive, "application/zip")}
            return self.http.post(here, data=filled, files=body, headers=told)

    def sits_down(self) -> None:
        self.sends("/register", {"name": "Olga", "email": EMAIL, "password": PASSWORD, "postcode": "10115"})
        done = troth("--home", str(self.shop.home), "staff", "invite", "--owner")
        link = re.findall(r"http\S+(/desk/join/\S+)", done.stdout)[0]
        app = self.sends(link, {"email": EMAIL, "password": PASSWORD, "handle": "olga"})
        secret = re.search(r"secret=([A-Z2-7]+)", app.text)
        assert secret is not None, Page(app.text).text
        code = TOTP(base64.b32decode(secret[1]), 6, SHA1(), 30).generate(int(time.time())).decode()
        seated = self.sends("/desk/second-factor", {"code": code})
        assert "recovery" in seated.text.lower(), Page(seated.text).text

    def releases(self, version: str, archive: Path) -> None:
        """Upload, look, put out; what can be bought is the same to the byte."""
        sent = self.sends("/desk/products/tool/new-version", {"version": version}, archive)
        assert sent.url.path == f"/desk/products/tool/versions/{version}", Page(sent.text).text
        out = self.sends(f"/desk/products/tool/versions/{version}/put-out", {})
        assert out.url.path == "/desk/products/tool", Page(out.text).text
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in self.shop.home.rglob("tool-*.zip")}
        assert hashlib.sha256(archive.read_bytes()).hexdigest() in digests


def packed(path: Path, mib: int) -> Path:
    """An archive that does not get smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive, archive.open("tool/data", "w") as file:
        for _ in range(mib):
            file.write(os.urandom(1 << 20))
    return path


def peak(shop: Serving) -> int:
    """KiB that the web processes have held at most so far (VmHWM, proc(5)), added up."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in everybody_below(shop.pid("web"))]
    return sum(int(line.split()[1]) for text in statuses for line in text.splitlines() if line.startswith("VmHWM:"))


def test_a_large_release_is_never_held_in_memory(
    shop: Serving, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    owner = Owner(shop)
    owner.sits_down()
    made = owner.sends("/desk/new-product", {"name": "Tool", "slug": "tool", "kind": "module", "price": "49.00"})
    assert made.status_code == 200, Page(made.text).text
    owner.releases("1.0.0", packed(tmp_path / "small.zip", 1))
    before = peak(shop)
    began = time.monotonic()
    owner.releases("2.0.0", packed(tmp_path / "large.zip", MIB))
    grown = (peak(shop) - before) / 1024
    took = time.monotonic() - began
    record_property("table", f"{MIB} MiB uploaded and released in {took:.1f} s; the web's peak grew by {grown:.1f} MiB")
    assert grown < MOST_MIB
    owner.http.close()
