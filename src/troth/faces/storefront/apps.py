from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "troth.faces.storefront"
    label = "storefront"
