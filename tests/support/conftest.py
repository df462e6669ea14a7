from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.storefront.conftest import basket as basket
from tests.storefront.conftest import browser as browser
from troth.config import Support


@pytest.fixture(autouse=True)
def mailbox(house: House) -> Iterator[None]:
    """The shop reads mail to support@fernhill.example."""
    before = settings.TROTH
    settings.TROTH = msgspec.structs.replace(before, support=Support(address="support@fernhill.example"))
    yield
    settings.TROTH = before
