from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "il2tracker.exchange"
    label = "exchange"
