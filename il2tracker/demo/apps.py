from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "il2tracker.demo"
    label = "demo"
