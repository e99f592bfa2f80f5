"""Sign-in and the pages behind "More"."""

from __future__ import annotations

from allauth.account import views as allauth
from django.conf import settings as project
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from il2tracker.accounts import access, actions, looked
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.forms import DetailsForm, DisplayForm, PersonForm, ShareForm, SignInForm, StartForm
from il2tracker.accounts.models import Patient
from il2tracker.accounts.password_views import refused
from il2tracker.pages import answer, form_page, sent

_sign_in = allauth.LoginView.as_view(form_class=SignInForm)
sign_out = allauth.logout


@form_page
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password. A refusal is a page with status 422, like every form."""
    return refused(request, _sign_in(request))


@login_required
@require_safe
def settings(request: SignedInRequest) -> HttpResponse:
    """ "More": everything that is not an entry."""
    user = request.user
    others = Patient.objects.visible_to(user).shared_with(user).exclude(user=user).order_by("name", "code")
    return render(request, "accounts/settings.html", {"patient": user.patient_or_none, "others": others})


@login_required
@form_page
def start(request: SignedInRequest) -> HttpResponse:
    """The first questions to a person who has neither a diary nor a clinic."""
    if request.user.patient_or_none or request.user.is_clinician:
        return redirect("today:home")
    known = {"name": request.user.name, "time_zone": project.DEFAULT_TIME_ZONE}
    form = StartForm(sent(request), initial=known, now=timezone.now())
    if not form.is_valid():
        return answer(request, "accounts/start.html", form)
    try:
        actions.create_patient(by=request.user, user=request.user, **form.cleaned_data)
    except ValidationError as refused:
        if "user" not in refused.message_dict:
            raise
        return redirect("today:home")  # sent twice at once: the first made the diary
    messages.success(request, _("Your diary is ready. These reminders come by e-mail: leave them so, or choose."))
    return redirect("reminders:preferences")


@login_required
@form_page
def details(request: SignedInRequest) -> HttpResponse:
    """Name, companion; and whom to call while no clinic says so."""
    patient = request.user.patient_or_none
    if patient is None:
        return _person(request)
    own_numbers = access.open_clinic(patient) is None
    form = DetailsForm(sent(request), instance=patient, own_numbers=own_numbers, now=timezone.now())
    if not form.is_valid():
        return answer(request, "accounts/details.html", form, patient=patient)
    actions.update_patient(by=request.user, patient=patient, **form.cleaned_data)
    messages.success(request, _("Your details are saved."))
    return redirect("accounts:settings")


def _person(request: SignedInRequest) -> HttpResponse:
    form = PersonForm(sent(request), instance=request.user)
    if not form.is_valid():
        return answer(request, "accounts/details.html", form)
    actions.update_user(by=request.user, user=request.user, **form.cleaned_data)
    messages.success(request, _("Your details are saved."))
    return redirect("accounts:settings")


@login_required
@form_page
def display(request: SignedInRequest) -> HttpResponse:
    """Light or dark, 12 or 24 hours."""
    form = DisplayForm(sent(request), instance=request.user)
    if not form.is_valid():
        return answer(request, "accounts/display.html", form)
    actions.update_user(by=request.user, user=request.user, **form.cleaned_data)
    messages.success(request, _("Saved: this is how your pages look now."))
    return redirect("accounts:display")


@login_required
@form_page
def sharing(request: SignedInRequest) -> HttpResponse:
    """Who can see my diary, and letting a clinic of this installation see it."""
    patient = access.patient_or_404(request.user)
    form = ShareForm(sent(request), patient=patient)
    if not form.is_valid():
        shared = patient.sharings.open().select_related("clinic", "person").order_by("starts_at")
        return answer(request, "accounts/sharing.html", form, patient=patient, sharings=shared)
    actions.share_with_clinic(by=request.user, patient=patient, clinic=form.cleaned_data["clinic"])
    messages.success(request, _("%(clinic)s can see your diary now.") % form.cleaned_data)
    return redirect("accounts:sharing")


@login_required
@form_page
def stop_sharing(request: SignedInRequest, ref: str) -> HttpResponse:
    """Ask once, then end a sharing at once."""
    patient = access.patient_or_404(request.user)
    shared = get_object_or_404(patient.sharings.open().select_related("clinic", "person"), ref=ref)
    if request.method != "POST":
        return render(request, "accounts/stop_sharing.html", {"patient": patient, "sharing": shared})
    actions.stop_sharing(by=request.user, sharing=shared)
    messages.success(request, _("%(name)s can no longer see your diary.") % {"name": shared.clinic or shared.person})
    if access.contact_card(patient, timezone.now()).is_complete:
        return redirect("accounts:sharing")
    messages.warning(request, _("No clinic's number is shown any more. Enter whom you will call."))
    return redirect("accounts:details")


@login_required
@require_POST
def tell(request: SignedInRequest, ref: str) -> HttpResponse:
    """Whether a person is told by mail when an injection is not recorded: the patient's own word, at once."""
    patient = access.patient_or_404(request.user)
    shared = get_object_or_404(patient.sharings.open().filter(person__isnull=False), ref=ref)
    told = request.POST.get("told") == "yes"
    try:
        actions.tell_if_not_recorded(by=request.user, sharing=shared, told=told)
    except ValidationError as refused_now:  # the permission ended in another tab
        messages.warning(request, refused_now.messages[0])
        return redirect("accounts:sharing")
    said = _("%(name)s is told by mail from now on.") if told else _("%(name)s is not told by mail any more.")
    messages.success(request, said % {"name": shared.person})
    return redirect("accounts:sharing")


@login_required
@require_safe
def who_looked(request: SignedInRequest) -> HttpResponse:
    """Who opened or changed my diary, newest first."""
    patient = access.patient_or_404(request.user)
    before = request.GET.get("before", "")
    if before and not before.isdecimal():
        raise Http404
    rows, older = looked.looks(patient, before=int(before) if before else None)
    return render(
        request,
        "accounts/who_looked.html",
        {"patient": patient, "rows": rows, "older": older, "first": not before},
    )
