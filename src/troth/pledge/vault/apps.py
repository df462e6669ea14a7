from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "troth.pledge.vault"
    label = "vault"
