from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "il2tracker.accounts"
    label = "accounts"
