from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "il2tracker.clinic"
    label = "clinic"

    def ready(self) -> None:
        """Tell results where symptoms are recorded: this package knows both."""
        from il2tracker.clinic import signs
        from labs import symptoms

        symptoms.read_from(signs.of_low_potassium)
