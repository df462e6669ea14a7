from django.apps import AppConfig


class EntitlementsConfig(AppConfig):
    name = "troth.shop.entitlements"
    label = "entitlements"
