"""Every address. Paths are neutral words: they show in browser histories and mails."""

from django.urls import include, path

urlpatterns = [
    path("", include("il2tracker.today.urls")),
    path("", include("labs.urls")),  # people/import/ comes before people/<code>/
    path("", include("il2tracker.exchange.urls")),
    path("", include("il2tracker.clinic.urls")),
    path("", include("il2tracker.system.urls")),
    path("", include("il2tracker.reminders.urls")),
    path("", include("sideeffects.urls")),
    path("", include("cycles.urls")),
    path("", include("il2tracker.alerts.urls")),
    path("", include("il2tracker.accounts.urls")),
]
