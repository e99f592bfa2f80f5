"""The application's own settings in the tests: a scratch folder, real services, and nothing slow for safety's sake."""

import os

import dj_database_url

from tests import services

_SCRATCH = services.scratch()
os.environ.update(
    {
        "IL2_SECRET_KEY": "only-for-tests-" * 4,
        "IL2_DEMO": "False",
        "IL2_BASE_URL": "http://diary.example",
        "IL2_VAR": str(_SCRATCH),
        "REDIS_URL": "redis://127.0.0.1:1/0",  # tests name their own broker
        "DATABASE_URL": f"sqlite:///{_SCRATCH / 'unused.sqlite3'}",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "True",  # Playwright's sync API runs an event loop beside the ORM
    }
)

from il2tracker.settings import *  # noqa: E402, F403
from il2tracker.settings import DATABASES, STORAGES  # noqa: E402

_POSTGRES = os.environ.get("IL2_TEST_DATABASE", "sqlite") == "postgres" and services.postgres_url()
if _POSTGRES:
    DATABASES["default"] = dj_database_url.parse(_POSTGRES)
    DATABASES["default"]["TEST"] = {"NAME": f"test_{_SCRATCH.name}"}
else:
    # A file, because a live server's thread and other processes have to see the rows too.
    DATABASES["default"]["TEST"] = {"NAME": _SCRATCH / "test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if _SCRATCH.exists():
    (_SCRATCH / "static").mkdir(exist_ok=True)
