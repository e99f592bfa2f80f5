from django.apps import AppConfig


class SideeffectsConfig(AppConfig):
    name = "sideeffects"
