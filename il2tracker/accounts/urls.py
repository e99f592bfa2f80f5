"""Sign-in and settings. Sign-in keeps allauth's own names, which allauth looks up."""

from django.urls import include, path

from il2tracker.accounts import password_views, views
from il2tracker.accounts.admin import site

settings = [
    path("", views.settings, name="settings"),
    path("start/", views.start, name="start"),
    path("details/", views.details, name="details"),
    path("display/", views.display, name="display"),
    path("sharing/", views.sharing, name="sharing"),
    path("sharing/<str:ref>/stop/", views.stop_sharing, name="stop_sharing"),
    path("sharing/<str:ref>/told/", views.tell, name="tell"),
    path("looked/", views.who_looked, name="looked"),
]

urlpatterns = [
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/forgot/", password_views.forgot, name="account_reset_password"),
    path("sign-in/forgot/sent/", password_views.forgot_sent, name="account_reset_password_done"),
    path("sign-in/forgot/done/", password_views.chosen, name="account_reset_password_from_key_done"),
    path("sign-in/forgot/<str:uidb36>-<str:key>/", password_views.choose, name="account_reset_password_from_key"),
    path("settings/password/", password_views.change, name="account_change_password"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("settings/", include((settings, "accounts"))),
    path("system/admin/", site.urls),
]
