from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "troth.shop.catalogue"
    label = "catalogue"
