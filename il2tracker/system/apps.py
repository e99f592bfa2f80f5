from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "il2tracker.system"
    label = "system"
    verbose_name = "System"
