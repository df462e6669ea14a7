"""Addresses of mailboxes and machines are found by their shape."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.pledge.policy.addresses import found


@pytest.mark.parametrize(
    ("run", "there"),
    [
        (b'{"a":"Ada.Finch+x@Mail.example.org","b":1}', ["ada.finch+x@mail.example.org"]),
        (b"ip-203.0.113.9", ["203.0.113.9"]),
        (b"from=203.0.113.9;", ["203.0.113.9"]),
        (b"at 203.0.113.9.", ["203.0.113.9"]),
        (b"2001:db8::7 and [2001:DB8:1:2:3:4:5:6]", ["2001:db8::7", "2001:db8:1:2:3:4:5:6"]),
        (b"::1 127.0.0.1 :: 0.0.0.0", []),
        (b"12:30:45, a::b is C++, 1.2.3, 1.2.3.4.5, 300.1.1.1, v1.2.3.4", []),
        (b"@media (min-width: 3em) @font-face user@localhost @ b.example", []),
    ],
)
def test_what_is_one_is_found_and_what_is_none_is_not(run: bytes, there: list[str]) -> None:
    assert list(found(run)) == there


@given(st.emails(), st.ip_addresses(), st.binary(max_size=40))
def test_any_address_is_found_in_anything(mailbox: str, machine: ipaddress.IPv4Address, noise: bytes) -> None:
    seen = list(found(noise + b"\n" + mailbox.encode() + b" " + str(machine).encode() + b"\n" + noise))
    assert mailbox.lower() in seen
    short = ":" in str(machine) and len(str(machine)) < 6  # no machine that anybody comes from
    assert machine.is_loopback or machine.is_unspecified or short or str(machine) in seen
