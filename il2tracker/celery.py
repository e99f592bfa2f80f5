"""The Celery application: two ticks (plan, sweep) and nothing else."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "il2tracker.settings")

app = Celery("il2tracker")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
