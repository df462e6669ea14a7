"""Of an address nothing stands in the database but ciphertext and a hash that ends with its key."""

import itertools
from datetime import timedelta

from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from tests.fraud.test_holds import DUBLIN, LEEDS, order
from tests.house import House
from troth.pledge import clock
from troth.pledge.policy.probe import values
from troth.pledge.rights.holding import Delete
from troth.shop.catalogue.models import Edition
from troth.shop.fraud import keyed, places
from troth.shop.fraud.models import Sighting
from troth.shop.holdings import PEOPLE


def test_no_column_has_it(house: House, edition: Edition) -> None:
    for address in (LEEDS, DUBLIN, "::ffff:198.51.100.4"):
        order(edition, address)
    house.works()
    written = list(values())
    for needle in (LEEDS, DUBLIN, "2a02:8084", "198.51.100.4"):
        assert [place for place, text in written if needle in text] == []
    assert Sighting.objects.count() == 3


def test_all_of_a_64_have_one_name_and_tomorrow_another(house: House) -> None:
    first, other = keyed.name("2001:db8:1:2::1"), keyed.name("2001:db8:1:3::1")
    assert keyed.name("2001:db8:1:2:ffff::9") == first != other
    (path,) = (settings.TROTH.home / "run").glob("network-*.key")
    assert path.stat().st_mode & 0o007 == 0
    clock.travel(timedelta(days=1))
    assert keyed.name("2001:db8:1:2::1") != first
    assert not path.exists()


def test_what_is_no_address_has_no_name(house: House) -> None:
    assert {keyed.name(one) for one in ("", "unknown", "1.2.3", "x" * 5000)} == {""}


def test_forgetting_somebody_takes_all_of_it_along() -> None:
    ours = [one for one in PEOPLE if one.table.startswith("fraud.")]
    assert len(ours) == 3
    assert all(one.erasing == Delete() and one.ends for one in ours)


@given(st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), max_size=12), st.ip_addresses(v=4))
def test_the_narrowest_network_of_a_table_counts(networks, asked) -> None:
    import ipaddress

    listed = [(ipaddress.ip_network((where, length), strict=False), f"{n:02}") for n, (where, length) in
              enumerate(networks)]  # fmt: skip
    table = places.read("# a note\n" + "\n".join(f"{network},{name}" for network, name in listed))
    holding = sorted((one for one in dict(listed).items() if asked in one[0]), key=lambda one: one[0].prefixlen)
    assert places.look_up(table, str(asked)) == (holding[-1][1] if holding else None)
    assert places.look_up(table, "2001:db8::1") is None


def test_a_line_that_is_none_is_told_by_its_number() -> None:
    for text, number in itertools.product(("nonsense,DE", "1.2.3.4/99"), (1, 3)):
        try:
            places.read("\n" * (number - 1) + text)
        except ValueError as error:
            assert f"line {number} " in str(error)
        else:
            raise AssertionError(text)
