from django.apps import AppConfig


class LicencesConfig(AppConfig):
    name = "troth.shop.licences"
    label = "licences"
