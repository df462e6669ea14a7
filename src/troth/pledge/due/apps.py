from django.apps import AppConfig


class DueConfig(AppConfig):
    name = "troth.pledge.due"
    label = "due"
