from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "troth.faces.desk"
    label = "desk"
