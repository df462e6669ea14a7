"""Counts of callers live in the process: each test begins with none."""

import pytest

from troth.faces.api import composer
from troth.faces.api import licences as api


@pytest.fixture(autouse=True)
def nobody_called_yet() -> None:
    for window in (api.by_caller, api.by_key, api.by_failure, composer.wrong_keys):
        window.forget()
