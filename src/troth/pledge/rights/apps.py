from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "troth.pledge.rights"
    label = "rights"
