from django.apps import AppConfig


class TodayConfig(AppConfig):
    name = "il2tracker.today"
    label = "today"
