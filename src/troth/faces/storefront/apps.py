from django.apps import AppConfig

from troth.faces import logs


class StorefrontConfig(AppConfig):
    name = "troth.faces.storefront"
    label = "storefront"

    def ready(self) -> None:
        # Django calls LOGGING_CONFIG only where settings.LOGGING says something; the allow-list must not depend on it.
        logs.configure()
