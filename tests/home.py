"""A shop's folder of its own for each test process, made before Django reads its settings (pytest -p tests.home)."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from troth.pledge.kms import file as root_key
from troth.shop.invoices import worker_key

TOML = """
[shop]
mode = "test"
name = "Fernhill Extensions"
legal_name = "Fernhill Extensions Ltd"
contact_email = "hello@fernhill.example"
[paypal]
base_url = "http://127.0.0.1:9"
client_id = "client"
client_secret = "secret"
webhook_id = "WH-TEST"
cert_url_prefix = "http://127.0.0.1:9/v1/notifications/certs/"
[skrill]
pay_url = "http://127.0.0.1:9/skrill"
query_url = "http://127.0.0.1:9/app/query.pl"
refund_url = "http://127.0.0.1:9/app/refund.pl"
merchant_id = "4637827"
pay_to_email = "shop@fernhill.example"
secret_word = "word"
mqi_password = "mqi"
[composer]
vendor = "fernhill"
[fraud]
limits = "off"
"""


def make(folder: Path) -> Path:
    """A shop's folder as `troth init` makes it, for tests."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / "troth.toml").write_text(TOML)
    (folder / "web.key").write_text(secrets.token_urlsafe(48))
    (folder / "licence.key").write_text(secrets.token_hex(32))
    worker_key.make(folder)
    for name in ("troth.toml", "web.key", "licence.key"):
        (folder / name).chmod(0o600)
    for name in ("files", "media", "data", "run"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    root_key.create(Path(f"{folder}.key/root.key"))
    return folder


base = Path(tempfile.mkdtemp(prefix="troth-test-"))
atexit.register(shutil.rmtree, base, ignore_errors=True)
os.environ["TROTH_HOME"] = str(make(base / "shop"))
