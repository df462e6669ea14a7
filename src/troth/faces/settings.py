"""Django's settings, made from the shop's troth.toml. Nothing is set here that an owner would want to change."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from troth import config as _config

TROTH = _config.load()
BASE = Path(__file__).resolve().parent


def _secret(name: str) -> str:
    """A secret of the web process; made by `troth init`, read by web and worker."""
    try:
        return (TROTH.home / name).read_text("utf-8").strip()
    except OSError:
        raise _config.ConfigError(
            [f"{TROTH.home / name} is missing: it is made by `troth init`, restore it or run that."]
        ) from None


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "troth.pledge.policy.engines.sqlite3",
            "NAME": TROTH.home / parts.path.removeprefix("/"),
            "CONN_MAX_AGE": None,
            "TEST": {"NAME": str(TROTH.home / "test.sqlite3")},
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                "PRAGMA foreign_keys=ON; PRAGMA cache_size=-2000; PRAGMA mmap_size=134217728;",
            },
        }
    # A Unix socket's folder may stand in the query: postgresql:///troth?host=/run/postgresql
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "troth.pledge.policy.engines.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host") or parts.hostname or ""),
        "PORT": str(parts.port or query.get("port") or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 2, "options": "-c statement_timeout=5000 -c lock_timeout=5000"},
    }


DATABASES = {"default": _database(TROTH.database.url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = _secret("web.key")
DEBUG = False
_public = urlsplit(TROTH.web.public_url)
ALLOWED_HOSTS = sorted({_public.hostname or "", *(["127.0.0.1", "localhost"] if not TROTH.live else [])})
ROOT_URLCONF = "troth.faces.urls"
WSGI_APPLICATION = "troth.faces.wsgi.application"
INSTALLED_APPS = [
    # No django.contrib.auth, no admin: the keeper verifies credentials, and both write people in clear
    # (docs/decisions/0004-no-django-auth.md).
    "troth.pledge.vault",
    "troth.pledge.due",
    "troth.pledge.policy",
    "troth.pledge.rights",
    "troth.shop.accounts",
    "troth.shop.catalogue",
    "troth.shop.orders",
    "troth.shop.coupons",
    "troth.shop.payments",
    "troth.shop.delivery",
    "troth.shop.invoices",
    "troth.shop.licences",
    "troth.shop.mailings",
    "troth.shop.support",
    "troth.shop.entitlements",
    "troth.shop.fraud",
    "troth.shop.renewals",
    "troth.shop.staff",
    "troth.shop.disclosure",
    "troth.shop.texts",
    "troth.shop.withdrawals",
    "troth.faces.storefront",
    "troth.faces.desk",
]
_secure = _public.scheme == "https"
MIDDLEWARE = [
    *(["troth.faces.storefront.transport.Transport"] if _secure else []),
    "troth.faces.api.kept.KeptLists",
    "troth.faces.storefront.pagecache.PageCache",
    "troth.faces.storefront.headers.SafeHeaders",
    "troth.faces.storefront.limits.Limits",
    "django.middleware.common.CommonMiddleware",
    "troth.faces.storefront.origin.SameOrigin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "troth.faces.storefront.signed_in.SignedIn",
]
_jinja = {
    "BACKEND": "django.template.backends.jinja2.Jinja2",
    "APP_DIRS": True,
    "OPTIONS": {"environment": "troth.faces.jinja.environment", "auto_reload": False},
}
TEMPLATES = [
    {**_jinja, "NAME": "jinja2", "DIRS": [TROTH.home / "templates"]},  # the owner's win over ours
    {**_jinja, "NAME": "shipped", "DIRS": []},  # ours alone, where the owner's fail
]
STATIC_URL = "/static/"
STATIC_DIR = BASE / "storefront" / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = TROTH.home / "media"
FILES_ROOT = TROTH.home / "files"  # what is sold; never served by path
UPLOADS_ROOT = TROTH.home / "uploads"  # the same, come in at the desk: the web process may write nowhere else

SESSION_ENGINE = "troth.faces.storefront.sessions"
SESSION_COOKIE_NAME = "troth_session"
SESSION_COOKIE_AGE = TROTH.policy.session_days * 86400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "troth_csrf"
CSRF_FAILURE_VIEW = "troth.faces.storefront.views.errors.csrf"
CSRF_TRUSTED_ORIGINS = [TROTH.web.public_url] if _secure else []
# Safe because Transport lets nobody pass but a trusted proxy that wrote this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _secure and not TROTH.web.certificate else None
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # letters leave through troth.shop.delivery only

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = TROTH.shop.language
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE.parent / "locale"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_HANDLERS: list[str] = []  # no form takes files: what is uploaded all the same is written nowhere
APPEND_SLASH = False
LOGGING_CONFIG = "troth.faces.logs.configure"
DEFAULT_EXCEPTION_REPORTER = "troth.faces.logs.AllowListReporter"
SILENCED_SYSTEM_CHECKS: list[str] = []
