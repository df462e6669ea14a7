"""What must never be switched on, because it would write people in clear."""

from django.conf import settings

# Its user table, its admin's log and its error mail hold names, addresses and passwords in clear.
NEVER = {"django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "debug_toolbar"}


def test_no_app_that_writes_people_in_clear():
    assert NEVER.isdisjoint(settings.INSTALLED_APPS)
    assert settings.DEBUG is False
    assert not getattr(settings, "ADMINS", [])


def test_the_cache_keeps_nothing_of_a_visitor():
    assert {name: cache["BACKEND"] for name, cache in settings.CACHES.items()} == {
        "default": "django.core.cache.backends.dummy.DummyCache"
    }
