"""Look-alikes of PayPal and Skrill and a mailbox, for demo and tests: in memory, on loopback, in test mode only.

>>> sandbox = Sandbox(mode="test")
>>> told = sandbox.start()
>>> sorted(told.paypal)
['base_url', 'ca_file', 'cert_url_prefix', 'client_id', 'client_secret', 'webhook_id']
>>> sandbox.stop()

Nothing of the shop is imported here, so that the two sides can only agree through the protocol.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from troth.sandbox import control
from troth.sandbox.authority import Authority
from troth.sandbox.mailbox import Mailbox
from troth.sandbox.paypal import PayPalMerchant, SandboxPayPal
from troth.sandbox.server import Faults, Server
from troth.sandbox.skrill import SandboxSkrill, SkrillMerchant

__all__ = ["Addresses", "PayPalMerchant", "Sandbox", "SkrillMerchant"]


class Addresses(msgspec.Struct, frozen=True):
    """What a shop in test mode has to be told; `paypal`, `skrill` and `mail` are those sections of its settings."""

    base: str
    mailbox: str
    control: str
    paypal: dict[str, str]
    skrill: dict[str, str]
    mail: dict[str, str]


class Sandbox:
    """Raises ValueError unless the shop's mode is "test": no live shop may meet providers that pay with nothing.

    Ports 0 are chosen by the system. `start` may be called once.
    """

    def __init__(
        self,
        mode: str,
        *,
        port: int = 0,
        smtp_port: int = 0,
        paypal: PayPalMerchant | None = None,
        skrill: SkrillMerchant | None = None,
    ) -> None:
        if mode != "test":
            raise ValueError('the sandbox starts only where [shop] mode = "test"')
        self._port = port
        self.faults = Faults()
        self.authority = Authority()
        self.paypal = SandboxPayPal(paypal or PayPalMerchant(), self.authority, self.faults)
        self.skrill = SandboxSkrill(skrill or SkrillMerchant(), self.faults)
        self.mailbox = Mailbox(smtp_port)
        self._folder = tempfile.TemporaryDirectory(prefix="troth-sandbox-")
        self._server: Server | None = None

    def start(self) -> Addresses:
        """Listen, and tell where. OSError where a port is taken."""
        routes = [*self.paypal.routes(), *self.skrill.routes(), *self.mailbox.routes(), *control.routes(self)]
        self._server = Server(self._port, routes, self.faults)
        base = f"http://127.0.0.1:{self._server.server_port}"
        self.paypal.base, self.skrill.base = f"{base}/paypal", f"{base}/skrill"
        ca_file = Path(self._folder.name) / "ca.pem"
        ca_file.write_bytes(self.authority.ca_pem)
        self._server.start()
        self.paypal.courier.start()
        self.skrill.courier.start()
        self.mailbox.up()
        return self._addresses(base, str(ca_file))

    def stop(self) -> None:
        """End all threads and forget everything."""
        self.mailbox.down()
        self.paypal.courier.stop()
        self.skrill.courier.stop()
        if self._server is not None:
            self._server.stop()
        self._folder.cleanup()

    def reset(self) -> None:
        """Books, messages, mails and faults as at the start; addresses and keys stay."""
        self.faults.clear()
        self.paypal.reset()
        self.skrill.reset()
        self.mailbox.clear()

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait until every message to the shop has been delivered. False if that took longer."""
        return self.paypal.courier.wait(seconds) and self.skrill.courier.wait(seconds)

    def _addresses(self, base: str, ca_file: str) -> Addresses:
        paypal, skrill = self.paypal.merchant, self.skrill.merchant
        return Addresses(
            base=base,
            mailbox=f"{base}/mailbox/",
            control=f"{base}/_control/",
            paypal={
                "base_url": self.paypal.base,
                "client_id": paypal.client_id,
                "client_secret": paypal.client_secret,
                "webhook_id": paypal.webhook_id,
                "cert_url_prefix": f"{self.paypal.base}/v1/notifications/certs/",
                "ca_file": ca_file,
            },
            skrill={
                "pay_url": f"{self.skrill.base}/pay",
                "query_url": f"{self.skrill.base}/app/query.pl",
                "refund_url": f"{self.skrill.base}/app/refund.pl",
                "merchant_id": skrill.merchant_id,
                "pay_to_email": skrill.pay_to_email,
                "secret_word": skrill.secret_word,
                "mqi_password": skrill.mqi_password,
            },
            mail={"url": f"smtp://127.0.0.1:{self.mailbox.port}"},
        )
