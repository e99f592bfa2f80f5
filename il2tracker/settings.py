"""All settings, read from the environment (see .env.example). Safe by default: no debug, no demo, HTTPS."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dj_database_url
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from structlog.types import EventDict

from il2tracker import environment as env
from il2tracker.audit import masking

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env.text("IL2_VAR", str(BASE_DIR / "var")))

# Who this installation is
DEMO = env.flag("IL2_DEMO", False)
DEBUG = env.flag("IL2_DEBUG", False)
SECRET_KEY = env.text("IL2_SECRET_KEY")
SITE_NAME = env.text("IL2_SITE_NAME", "Diary")
BASE_URL = env.text("IL2_BASE_URL", "https://localhost").rstrip("/")
ALLOWED_HOSTS = env.words("IL2_ALLOWED_HOSTS") or [urlsplit(BASE_URL).hostname or "localhost"]
HTTPS = env.flag("IL2_HTTPS", BASE_URL.startswith("https://"))
DEFAULT_TIME_ZONE = env.text("IL2_TIME_ZONE", "UTC")
try:
    ZoneInfo(DEFAULT_TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError) as error:
    raise ImproperlyConfigured(f"IL2_TIME_ZONE: there is no zone {DEFAULT_TIME_ZONE!r}.") from error

INSTALLED_APPS = [
    "il2tracker.demo",
    "il2tracker.today",
    "il2tracker.clinic",
    "il2tracker.exchange",
    "il2tracker.system",
    "il2tracker.reminders",
    "labs",
    "sideeffects",
    "cycles",
    "il2tracker.alerts",
    "il2tracker.accounts",
    "il2tracker.audit",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "simple_history",
    "csp",
    "django_structlog",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "il2tracker.audit.middleware.source",
    "il2tracker.accounts.middleware.private",
    "il2tracker.accounts.middleware.readable",
]

ROOT_URLCONF = "il2tracker.urls"
WSGI_APPLICATION = "il2tracker.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "il2tracker.accounts.context.viewer",
                "il2tracker.system.context.banner",
            ],
            "builtins": ["il2tracker.ui", "crispy_forms.templatetags.crispy_forms_tags"],
        },
    }
]

# Data. CONN_MAX_AGE: a connection per request costs 80 to 90 % of the throughput.
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{VAR / 'diary.sqlite3'}", conn_max_age=600, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # recursive_triggers: without it INSERT OR REPLACE walks past the append-only triggers.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# MAX_ENTRIES: beyond it counters of attempts are thrown away, so that nobody may get there by attempts alone.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Sign-in
# Addresses are unique whatever their capitals, by a constraint on lower(email) that this check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["il2tracker.accounts.adapter.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today:home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "il2tracker.reminders.adapter.Adapter"
ACCOUNT_FORMS = {
    "reset_password": "il2tracker.reminders.account_forms.ForgotForm",
    "user_token": "il2tracker.accounts.password_forms.LinkForm",
    "reset_password_from_key": "il2tracker.accounts.password_forms.NewPasswordForm",
    "change_password": "il2tracker.accounts.password_forms.ChangePasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = None
# A limit per address would tell whether others have asked for it: mails to one person are counted when they leave.
ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "il2tracker.accounts.password_links.Tokens"
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "d_session"
CSRF_COOKIE_NAME = "d_csrf"
LANGUAGE_COOKIE_NAME = "d_language"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
BEHIND_PROXY = env.flag("IL2_BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# What was saved is said once, from the session: the default would put clinical words into a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Uploads: only lab files, 1 MB at most
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_000_000

# Words and times
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Forms
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Mail leaves only through the reminders' own backend
EMAIL_BACKEND = "il2tracker.reminders.backend.Backend"
EMAIL_HOST = env.text("IL2_SMTP_HOST", "127.0.0.1")
EMAIL_PORT = env.number("IL2_SMTP_PORT", 25)
EMAIL_HOST_USER = env.text("IL2_SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.text("IL2_SMTP_PASSWORD", "")
EMAIL_USE_TLS = env.flag("IL2_SMTP_TLS", False)
EMAIL_TIMEOUT = env.number("IL2_SMTP_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.text("IL2_MAIL_FROM", f"{SITE_NAME} <diary@localhost>")
MESSAGE_ID_DOMAIN = env.text("IL2_MESSAGE_ID_DOMAIN", "mail.invalid")

# Work in the background. Redis is the broker only: nothing of value lives there.
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "reminders"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
PLAN_EVERY_SECONDS = env.number("IL2_PLAN_EVERY", 60)
SWEEP_EVERY_SECONDS = env.number("IL2_SWEEP_EVERY", 15)
REMINDERS_DIGEST = "il2tracker.clinic.digest.read"  # what a clinic's weekly mail says; it stands above reminders
REMINDER_LEASE_SECONDS = env.number("IL2_REMINDER_LEASE", 120)
CELERY_BEAT_SCHEDULE = {
    "plan": {
        "task": "il2tracker.reminders.tasks.plan",
        "schedule": PLAN_EVERY_SECONDS,
        "options": {"expires": PLAN_EVERY_SECONDS * 5 / 6},
    },
    "sweep": {
        "task": "il2tracker.reminders.tasks.sweep",
        "schedule": SWEEP_EVERY_SECONDS,
        "options": {"expires": SWEEP_EVERY_SECONDS * 2 / 3},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"masked": {"()": "il2tracker.audit.masking.Masked"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["masked"]}},
    "root": {"handlers": ["console"], "level": env.text("IL2_LOG_LEVEL", "INFO")},
    "loggers": {"django_structlog": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}


def _without_traceback(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Django's own log line has it."""
    event.pop("exc_info", None)
    return event


# One line for a failed or refused request, through the log above. structlog left alone prints every request and,
# beside a traceback, the local variables: patients' data.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        _without_traceback,
        masking.requests,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)
