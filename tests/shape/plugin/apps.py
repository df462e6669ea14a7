"""An app as somebody might put it into a shop: well meant, and undeclared in three ways."""

from django.apps import AppConfig


class PluginConfig(AppConfig):
    name = "tests.shape.plugin"
    label = "plugin"
