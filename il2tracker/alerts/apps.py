from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "il2tracker.alerts"
    label = "alerts"
