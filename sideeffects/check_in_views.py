"""The pages on which somebody says how he or she is: new, the rest of an urgent one, and put right."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient, User
from il2tracker.pages import form_page, sent
from sideeffects import actions, asking, change_actions, fever, filled, handover, story, triage
from sideeffects.forms import ChangeForm, CheckInForm
from sideeffects.models import CheckIn, catalogue
from sideeffects.views import check_in_or_404

COPIED_FOR = timedelta(days=7)  # app's own: older answers are not offered again


@login_required
@form_page
def check_in(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """How are you now? What is urgent in an answer is saved and interrupts, also when the rest is not valid (R4)."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    access.require_recording(request.user, patient)
    access.looked(request.user, patient, "sideeffects.form")
    known = _known(request.user, patient, patient.today(now), now)
    form = CheckInForm(sent(request), **known)
    if request.method == "POST" and _may_save(form, patient, now, copies="same" in request.POST):
        recorded = actions.record_check_in(
            by=request.user, patient=patient, key=form.cleaned_data["key"], answers=form.answers(), now=now
        )
        return _after(request, recorded)
    last = _to_copy(request.user, patient, now)
    if "same" in request.GET or "same" in request.POST:
        form = CheckInForm(None, shown=_copied(request, last), **known)
    is_first = last is None and not CheckIn.objects.visible_to(request.user).of(patient).exists()
    return _page(request, form, last=last, is_first=is_first, now=now, **known)


@login_required
@form_page
def finish(request: SignedInRequest, ref: str) -> HttpResponse:
    """The rest of a check-in that was saved early because something in it was urgent."""
    saved, now = check_in_or_404(request, ref), timezone.now()
    access.require_recording(request.user, saved.patient)
    if request.method != "POST" and not saved.is_unfinished:
        return redirect("sideeffects:entry", saved.ref)
    access.looked(request.user, saved.patient, "sideeffects.form", saved)
    known = _known(request.user, saved.patient, saved.felt_on, saved.felt_at)
    form = CheckInForm(request.POST if request.method == "POST" else filled.unfinished(saved), **known)
    if request.method == "POST" and (form.is_valid() or actions.urgent_and_new(saved, form.answers())):
        return _after(
            request, actions.finish_check_in(by=request.user, check_in=saved, answers=form.answers(), now=now)
        )
    return _page(request, form, saved=saved, now=now, **known)


@login_required
@form_page
def change(request: SignedInRequest, ref: str) -> HttpResponse:
    """Put a check-in right; what it said stays in its history. Something urgent in it is saved first, as ever (R4).

    What was made from an older version comes back, with what somebody else wrote meanwhile beside it.
    """
    read, saved, now = change_actions.version_of(ref), check_in_or_404(request, ref), timezone.now()
    change_actions.require_own(request.user, saved)
    if saved.is_unfinished:
        return redirect("sideeffects:finish", saved.ref)
    access.looked(request.user, saved.patient, "sideeffects.form", saved)
    known = _known(request.user, saved.patient, saved.felt_on, saved.felt_at)
    form, is_sent = ChangeForm(sent(request), saved=saved, read=read, **known), request.method == "POST"
    read, newer = form["read"].value(), []
    if is_sent and form.is_valid():
        try:
            return _changed(request, saved, form, now)
        except change_actions.ChangedMeanwhileError as refused:
            form.add_error(None, refused)
            read, saved = change_actions.version_of(ref), check_in_or_404(request, ref)
            newer = story.of(saved, after=form.version)
    if is_sent and actions.urgent_and_new(saved, form.answers(), story.grades_then(saved, form.version)):
        told = {"key": form.cleaned_data["key"], "answers": form.answers(), "felt_at": saved.felt_at}
        return _after(request, actions.record_check_in(by=request.user, patient=saved.patient, now=now, **told))
    return _page(request, form, changing=saved, read=read, newer=newer, now=now, **known)


def _known(user: User, patient: Patient, on: date, before: datetime) -> dict[str, Any]:
    """What the form has to know about the person."""
    weighed = CheckIn.objects.visible_to(user).of(patient).weighed().filter(felt_at__lt=before).newest_first().first()
    return {
        "patient": patient,
        "version": asking.version_in_force(patient, on),
        "symptoms": catalogue(),
        "last_weight": weighed.weighed if weighed else None,
    }


def _to_copy(user: User, patient: Patient, now: datetime) -> CheckIn | None:
    """The newest check-in, when it is of the last week and says something about symptoms."""
    newest = CheckIn.objects.visible_to(user).of(patient).filter(felt_at__gt=now - COPIED_FOR)
    last = newest.newest_first().prefetch_related("reports__symptom").first()
    says = last is not None and (last.no_symptoms or any(report.severity for report in last.reports.all()))
    return last if says else None


def _copied(request: HttpRequest, last: CheckIn | None) -> QueryDict | None:
    """The boxes with the symptoms of the last check-in, where that is asked for; what was filled in stays."""
    if "same" in request.POST:
        return filled.symptoms(last, request.POST.copy()) if last else request.POST
    if last is not None and request.GET.get("same") == last.ref:
        return filled.symptoms(last, QueryDict(mutable=True))
    return None


def _may_save(form: CheckInForm, patient: Patient, now: datetime, *, copies: bool) -> bool:
    """Copying saves nothing, unless something urgent is ticked already."""
    if form.is_valid() and not copies:
        return True
    return triage.is_urgent(actions.assess(patient=patient, answers=form.answers(), felt_at=now))


def _page(request: SignedInRequest, form: CheckInForm, **context: Any) -> HttpResponse:
    patient, now, version = context["patient"], context["now"], context["version"]
    is_new = not {"saved", "changing"} & context.keys()
    context |= {
        "card": access.contact_card(patient, now),
        "fever": fever.question(patient, version, now, request.user.clock) if is_new else "",
        "is_told": "changing" in context and any(alert.is_urgent for alert in context["changing"].alerts.all()),
        "copied": is_new and not form.is_bound and form.shown is not None,
    }
    status = 422 if request.method == "POST" and form.errors else 200
    return render(request, "sideeffects/check_in.html", {"form": form, **context}, status=status)


def _after(request: SignedInRequest, recorded: actions.Recorded) -> HttpResponse:
    """The page with the numbers for anything urgent; for the rest a status that names what was saved, and when."""
    saved = check_in_or_404(request, recorded.check_in.ref)
    if any(alert.is_urgent for alert in saved.alerts.all()):
        return redirect("sideeffects:urgent", saved.ref)
    words = handover.saved_words if recorded.created else handover.saved_already_words
    messages.success(request, words(saved, request.user))
    return redirect("sideeffects:entry", saved.ref)


def _changed(request: SignedInRequest, saved: CheckIn, form: ChangeForm, now: datetime) -> HttpResponse:
    kept = {"reason": form.cleaned_data["reason"], "read": form.version, "now": now}
    done = change_actions.change_check_in(by=request.user, check_in=saved, answers=form.answers(), **kept)
    if done.urgent:
        return redirect("sideeffects:urgent", saved.ref)
    said = _("Changed. What it said before stands below.") if done.changed else _("Nothing is different.")
    messages.success(request, said)
    return redirect("sideeffects:entry", saved.ref)
