"""A shop that speaks TLS by itself, or stands behind a proxy that does."""

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.processes import running
from tests.processes.running import Serving
from troth.sandbox.authority import Authority

pytestmark = pytest.mark.processes


def write_pair(folder: Path, authority: Authority, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate for `name` and its key, each file put in place as a whole."""
    leaf = authority.leaf(name)
    key = leaf._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair = folder / "tls.pem", folder / "tls.key"
    for path, body in zip(pair, (leaf.pem, key), strict=True):
        beside = path.with_suffix(".new")
        beside.write_bytes(body)
        beside.replace(path)
    return pair


def reached_by_https(home: Path, *lines: str) -> int:
    """Rewrite [web] of a shop's settings: public under https, with more lines. The port on which it listens."""
    port = running.free_port()
    text = (home / "troth.toml").read_text()
    head, _, rest = text.partition("[web]")
    rest = rest[rest.index("[database]") :]
    web = [f'public_url = "https://localhost:{port}"', f"port = {port}", *lines]
    (home / "troth.toml").write_text(head + "[web]\n" + "\n".join(web) + "\n\n" + rest)
    return port


class Certified:
    """A served shop with its own certificate, and the authority that signed it."""

    def __init__(self, folder: Path, database: dict[str, str]) -> None:
        self.authority, self.home = Authority(), running.folder(folder / "home")
        write_pair(self.home, self.authority)
        port = reached_by_https(self.home, 'certificate = "tls.pem"', 'certificate_key = "tls.key"')
        self.trusted = folder / "ca.pem"
        self.trusted.write_bytes(self.authority.ca_pem)
        self.address = ("localhost", port)
        self.environ = {"SSL_CERT_FILE": str(self.trusted), **database}
        self.serving = Serving(self.home, **self.environ)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]) -> Iterator[Certified]:
    shop = Certified(tmp_path_factory.mktemp("tls"), database)
    yield shop
    shop.serving.stop()


def test_pages_come_by_tls_with_the_shops_certificate(certified: Certified) -> None:
    context = ssl.create_default_context(cafile=str(certified.trusted))
    page = httpx.get(certified.serving.url + "/", verify=context, trust_env=False)
    assert page.status_code == 200
    assert int(page.headers["strict-transport-security"].partition("max-age=")[2]) >= 180 * 86400


def test_plain_http_gets_no_page(certified: Certified) -> None:
    host, port = certified.address
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{host}:{port}/", trust_env=False)


def test_the_promise_is_asked_for_from_outside_and_holds(certified: Certified) -> None:
    done = running.troth("--home", str(certified.home), "check", "--clause", "P15", "--json", **certified.environ)
    told = json.loads(done.stdout)["clauses"][0]
    assert (told["state"], done.returncode) == ("gap", 0), json.dumps(
        told["findings"]
    )  # the sandbox authority's certificates last a week
    sentences = {one["state"]: [] for one in told["findings"]}
    for one in told["findings"]:
        sentences[one["state"]].append(one["sentence"])
    assert len(sentences["holds"]) == 4
    assert sentences["gap"] == ["the shop's certificate ends in 6 days: renew it now"]


def test_a_renewed_certificate_is_taken_up_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, Authority())
    code = (
        "import sys, time; from pathlib import Path; from troth.faces.cli import tls;"
        "tls.follow(Path(sys.argv[1]), Path(sys.argv[2]), 0.05); print('on', flush=True); time.sleep(30)"
    )
    line = [sys.executable, "-c", code, str(certificate), str(key)]
    with subprocess.Popen(line, env=running.plain_environment(), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"on\n"
            time.sleep(0.2)
            good = key.read_bytes()
            key.write_bytes(b"half a key")
            time.sleep(0.5)
            assert process.poll() is None
            key.write_bytes(good)
            write_pair(tmp_path, Authority())
            assert process.wait(10) == -15
        finally:
            process.kill()


def test_a_certificate_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    home = running.folder(tmp_path / "home")
    reached_by_https(home, 'certificate = "tls.pem"', 'certificate_key = "tls.key"')
    done = running.troth("--home", str(home), "web", TROTH_DOOR="fd:99")
    assert done.returncode == 2
    assert "[web] certificate and certificate_key cannot be used" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module", params=["127.0.0.1, ::1", "192.0.2.7"], ids=["from the proxy", "from elsewhere"])
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: dict[str, str]
) -> Iterator[tuple[str, bool]]:
    """A shop behind a proxy: the address it listens on, and whether we are the proxy it trusts."""
    home = running.folder(tmp_path_factory.mktemp("proxied") / "home")
    port = reached_by_https(home, f'trusted_proxies = "{request.param}"')
    serving = Serving(home, **database)
    yield f"http://127.0.0.1:{port}", "127" in request.param
    serving.stop()


def test_only_the_trusted_proxys_word_counts(proxied: tuple[str, bool]) -> None:
    base, trusted = proxied
    name = {"Host": f"localhost:{base.rpartition(':')[2]}"}
    for path in ("/", "/sign-in", "/static/shop.css"):
        told = httpx.get(base + path, headers={**name, "X-Forwarded-Proto": "https"}, trust_env=False)
        assert (told.status_code in (200, 404)) == trusted, path
        bare = httpx.get(base + path, headers=name, trust_env=False)
        assert bare.status_code == 308
        assert bare.headers["location"] == f"https://{name['Host']}{path}"
    assert httpx.post(base + "/sign-in", headers=name, trust_env=False).status_code == 403
    assert httpx.get(base + "/healthz", headers=name, trust_env=False).status_code == 200
