from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "troth.pledge.policy"
    label = "policy"
