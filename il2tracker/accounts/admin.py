"""Django's admin for those who run the installation: people and clinics, nothing clinical."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import TimeField
from django.forms import TimeInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from il2tracker.accounts.models import Clinic, Membership, User
from il2tracker.audit import log


class Site(admin.AdminSite):
    """Its own site, so that no other package's models can turn up in it; sign-in is everybody's sign-in."""

    site_header = site_title = settings.SITE_NAME
    index_title = "People and clinics"
    site_url = "/system/"

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        asked = request.GET.get("next", "/system/admin/")
        if not request.user.is_authenticated:
            return redirect_to_login(asked)
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("/system/admin/")


class Logged(admin.ModelAdmin):
    """Writes one line of the access log for each save."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = f"accounts.{obj._meta.model_name}.{'changed' if change else 'created'}"
        log.record(
            action=action,
            by=cast(User, request.user),
            subject=getattr(obj, "user", obj),
            detail=", ".join(form.changed_data)[:200],
        )


class UserAdmin(Logged):
    """People are added with `manage.py person`; here they are renamed, barred or made administrators."""

    list_display = ("email", "name", "is_active", "is_staff", "is_demo")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    readonly_fields = ("last_login",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ClinicAdmin(Logged):
    """A clinic's numbers and hours."""

    list_display = ("name", "day_phone", "night_phone", "emergency_phone", "time_zone")
    prepopulated_fields = {"slug": ("name",)}
    # Django's own clock picker writes inline styles, which the policy forbids.
    formfield_overrides = {TimeField: {"widget": TimeInput}}


class MembershipAdmin(Logged):
    """Who works where."""

    list_display = ("user", "clinic", "title", "on_call_rank")


site = Site()
site.register(User, UserAdmin)
site.register(Clinic, ClinicAdmin)
site.register(Membership, MembershipAdmin)
