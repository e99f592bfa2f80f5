from django.apps import AppConfig


class RemindersConfig(AppConfig):
    name = "il2tracker.reminders"
    label = "reminders"

    def ready(self) -> None:
        """Register the start-up check of the unsubscribe address."""
        from il2tracker.reminders import unsubscribing  # noqa: F401
