"""PayPal's own check of a webhook, asked where the certificate cannot be had."""

import pytest

from troth.shop.payments.providers.contract import Forged, ProviderDown


def test_where_the_certificate_cannot_be_had_paypal_itself_is_asked(paypal, sandbox, paid):
    sandbox.faults.add("500", where="/certs/", times=3)
    assert paypal.receive(paid.headers, paid.body).kind == "PAYMENT.CAPTURE.COMPLETED"
    with pytest.raises(Forged, match="signature"):
        paypal.receive(paid.headers, paid.body.replace(b"COMPLETED", b"PENDING", 1))
    with pytest.raises(Forged, match="json"):  # an event that would end our question early
        paypal.receive(paid.headers, paid.body + b'}, {"webhook_event": {}')


def test_neither_certificate_nor_answer_means_come_again(paypal, sandbox, paid):
    sandbox.faults.add("500", where="/certs/")
    sandbox.faults.add("500", where="/verify-webhook-signature")
    with pytest.raises(ProviderDown):
        paypal.receive(paid.headers, paid.body)
    assert paypal.receive(paid.headers, paid.body)
