from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "il2tracker.clinic"
    label = "clinic"
