"""Django's admin for those who run the installation: people and clinics, nothing clinical."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet, TimeField
from django.forms import TimeInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.accounts import locks
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
    """Locks whom a row decides about before it is saved or removed (A2), and writes one line of the access log."""

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed here: what others saved meanwhile in the same row stays."""
        locks.before([obj])
        obj.save(update_fields=form.changed_data if change else None)
        self._log(request, obj, "changed" if change else "created", ", ".join(form.changed_data))

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        locks.before([obj])
        self._log(request, obj, "deleted", self.told_of(obj))
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        locks.before(queryset)
        for obj in queryset.order_by("pk"):
            self._log(request, obj, "deleted", self.told_of(obj))
        super().delete_queryset(request, queryset)

    def told_of(self, obj: Any) -> str:
        """What the log says about a row that will not be there to be asked."""
        return str(obj)

    def _log(self, request: HttpRequest, obj: Any, verb: str, detail: str) -> None:
        log.record(
            action=f"accounts.{obj._meta.model_name}.{verb}",
            by=cast(User, request.user),
            subject=getattr(obj, "user", obj),
            detail=detail[:200],
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


MAY_BE_A_DEVICE = gettext_lazy(
    "Off unless you turn it on. Clinicians see what published rules say, with the inputs and the source, and decide; "
    "patients never see it and no plan changes by itself. Turning it on may still make this installation a medical "
    "device: in the EU and the UK software that informs decisions about treatment tends to be class IIa (Rule 11); in "
    "the US it stays outside only while a professional can review the basis of every suggestion. Ask whoever answers "
    "for that in your clinic first."
)


WHEN_IT_GOES_ON = gettext_lazy(
    "An urgent report that nobody has acknowledged for so many minutes is told to the next person on call, then to all "
    "others at once. When so many more have passed, the patient is told that nobody has answered. 0 tells all at once."
)
WHO_IS_TOLD = gettext_lazy(
    "Urgent reports are told by mail: 1 at once, then 2, and so on; last, together, everybody without a number. "
    "Without any number in the clinic everybody is told at once."
)


class ClinicAdmin(Logged):
    """A clinic's numbers and hours."""

    list_display = ("name", "day_phone", "night_phone", "emergency_phone", "time_zone", "escalate_after")
    prepopulated_fields = {"slug": ("name",)}
    # Django's own clock picker writes inline styles, which the policy forbids.
    formfield_overrides = {TimeField: {"widget": TimeInput}}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Says beside the switches for suggestions what turning them on can mean (domain 4)."""
        told = dict.fromkeys(("suggests_dose_steps", "suggests_intervals"), MAY_BE_A_DEVICE)
        told["escalate_after"] = WHEN_IT_GOES_ON
        return super().get_form(request, obj, change, help_texts=told, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: sharings and signatures hang on it."""
        return False


class MembershipAdmin(Logged):
    """Who works where, and who is told of an urgent report first (B22)."""

    list_display = ("user", "clinic", "title", "on_call_rank")
    ordering = ("clinic__name", "on_call_rank", "user__name")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Says what the place in the order does."""
        words = {"labels": {"on_call_rank": _("Place on call")}, "help_texts": {"on_call_rank": WHO_IS_TOLD}}
        return super().get_form(request, obj, change, **words, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Everybody but the administrator herself: who runs the installation sees no patient by her own hand."""
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.exclude(pk=cast(User, request.user).pk)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "user":
            field.error_messages["invalid_choice"] = _("Choose somebody else: nobody joins a clinic by her own hand.")
        return field

    def told_of(self, obj: Membership) -> str:
        return obj.clinic.slug


site = Site()
site.register(User, UserAdmin)
site.register(Clinic, ClinicAdmin)
site.register(Membership, MembershipAdmin)
