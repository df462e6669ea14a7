from django.apps import AppConfig


class DisclosureConfig(AppConfig):
    name = "troth.shop.disclosure"
    label = "disclosure"
