from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "troth.shop.support"
    label = "support"
