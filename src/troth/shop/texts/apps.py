from django.apps import AppConfig


class TextsConfig(AppConfig):
    name = "troth.shop.texts"
    label = "texts"
