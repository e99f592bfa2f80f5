from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "il2tracker.audit"
    label = "audit"
