"""Entering the results of one draw, correcting one, taking out what was entered in error and putting it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient, User
from il2tracker.pages import answer, form_page, sent
from labs import actions, draws, error_actions, facts, range_words, words
from labs.asked import Asked, asked
from labs.facts import Facts
from labs.forms import CorrectForm, DrawForm
from labs.last_report import last_report
from labs.models import LabResult
from labs.reason_forms import RemoveForm, SettleForm
from labs.trends import Draw
from labs.units import in_words
from labs.views.results import require_adding, to

WHOLE_PAGE = "page"
BUTTONS = {"csrfmiddlewaretoken", "look", "clear", "open", "back", "settle", "conflicts", "reason"}


@login_required
@form_page
def add(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Enter the results of one draw. What looks odd or is there already is asked about, then kept.

    `look` reads back what was typed and keeps nothing: the whole page, or one box for the page's script.
    """
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    require_adding(request, patient)
    if request.POST.get("look", WHOLE_PAGE) != WHOLE_PAGE:
        return _said(request, patient, now)
    access.looked(request.user, patient, "labs.add")
    known = facts.load([patient], now, tests=())[patient.pk]
    page: dict[str, Any] = {"patient": patient, "viewer": request.user, "now": now, "timed": known.timing_matters}
    form = DrawForm(sent(request), last=last_report(patient), **page)
    if {"clear", "open"} & set(request.POST):
        form = _again(request, form, page)
    if not form.is_valid() or {"look", "back"} & set(request.POST):
        return answer(request, "labs/add.html", form, patient=patient, soon=_soon(form, known))
    rows = [] if "sure" in request.POST else asked(form)
    return _ask(request, form, rows) if any(row.is_odd for row in rows) else _keep(request, form)


def _again(request: SignedInRequest, form: DrawForm, page: dict[str, Any]) -> DrawForm:
    """The form once more with what was typed: without the suggestions, or with every group of tests open."""
    if "clear" in request.POST:
        return DrawForm(initial=form.unsuggested(), **page)
    opened = DrawForm(initial=form.typed(), last=form.last, **page)
    opened.all_open = True
    return opened


def _said(request: SignedInRequest, patient: Patient, now: datetime) -> HttpResponse:
    """What was understood of one box, or whether the typed day is too soon. Only the latter tells of the patient."""
    form, soon = DrawForm(request.POST, patient=patient, viewer=request.user, now=now), ""
    form.is_valid()
    box = form.box(request.POST["look"])
    if box is None:
        access.looked(request.user, patient, "labs.add")
        soon = _soon(form, facts.load([patient], now, tests=())[patient.pk])
    return render(request, "labs/_said.html", {"form": form, "box": box, "soon": soon, "patient": patient})


def _soon(form: DrawForm, known: Facts) -> str:
    """Whether blood of the typed day, or of today while no day is typed, is too soon after an injection (2.3)."""
    drawn = form.drawn_so_far() or form.drawn_before()
    judgement = known.record.judge(Draw(drawn.on, drawn.at) if drawn else Draw(known.today))
    return words.too_soon(judgement, typed=drawn is not None, running_until=known.ends_of(judgement))


def _typed(request: SignedInRequest) -> list[tuple[str, str]]:
    sent_again = [(name, values) for name, values in request.POST.lists() if name not in BUTTONS]
    return [(name, str(value)) for name, values in sent_again for value in values]


def _ask(request: SignedInRequest, form: DrawForm, rows: list[Asked]) -> HttpResponse:
    """`only_ranges`: nothing typed looks odd, so that "yes" is the likely answer."""
    only_ranges = not any(row.value for row in rows)
    context = {
        "patient": form.patient,
        "drawn": form,
        "rows": rows,
        "only_ranges": only_ranges,
        "sent": _typed(request),
    }
    return render(request, "labs/ask.html", context)


def _keep(request: SignedInRequest, form: DrawForm) -> HttpResponse:
    settle = SettleForm(request.POST if "settle" in request.POST else None)
    try:
        kept = actions.add_results(
            by=request.user,
            patient=form.patient,
            drawn=form.drawn(),
            readings=form.entries(),
            now=form.now,
            laboratory=form.cleaned_data["laboratory"],
            note=form.cleaned_data["note"],
            **settle.said(),
        )
    except actions.ConflictError as conflict:
        more = {"patient": form.patient, "drawn": form, "meetings": _meetings(request, conflict)}
        rest = len(form.entries()) - len(conflict.meetings)
        return answer(request, "labs/settle.html", settle, **more, rest=rest, sent=_typed(request))
    messages.success(request, _kept(kept, request.user))
    return to(request, "labs:list", form.patient)


def _meetings(request: SignedInRequest, conflict: actions.ConflictError) -> list[dict[str, str]]:
    return [
        {
            "name": met.analyte.name,
            "old": words.as_written(met.there),
            "new": in_words(met.analyte.rule, met.entry.reading),
            "by": words.entered_by(met.there, request.user.pk),
        }
        for met in conflict.meetings
    ]


def _kept(kept: actions.Kept, by: User) -> str:
    if not kept:
        return _("Nothing was changed.")
    day = words.long_day(kept[0].drawn_on)
    new = [words.name_and_value(result) for result in kept if result not in kept.there]
    old = ", ".join(words.name_and_value(result) for result in kept.there)
    said = [_("Kept: %(said)s, taken on %(day)s.") % {"said": ", ".join(new), "day": day}] if new else []
    said += [_("You already had: %(said)s, taken on %(day)s.") % {"said": old, "day": day}] if old else []
    return " ".join(filter(None, [*said, _verdict(kept), _outside(kept, by)]))


def _outside(kept: actions.Kept, by: User) -> str:
    """To whoever is no clinician: that keeping what lies outside its range calls nobody."""
    outside = [words.name_and_value(result) for result in kept if range_words.side_of(result) in {"low", "high"}]
    if not outside or access.is_member_for(by, kept[0].patient):
        return ""
    return _(
        "Outside the laboratory’s range: %(what)s. Nobody is called because you kept it here. If your clinic did not "
        "give you this result, call them; the number stands below."
    ) % {"what": ", ".join(outside)}


def _verdict(kept: actions.Kept) -> str:
    """What the newly kept draw is worth, if it does not count."""
    patient = kept[0].patient
    known = facts.load([patient], timezone.now(), tests=())[patient.pk]
    judged = next((each for each in draws.judge(known, kept) if not each.judgement.verdict.counts), None)
    if judged is None:
        return ""
    why = {"reason": words.reason(judged.judgement), "word": words.verdict_word(judged.judgement)}
    return _("It was taken %(reason)s: %(word)s. It stays in the table and off the line.") % why


# One result


def _result(request: SignedInRequest, ref: str) -> LabResult:
    result = get_object_or_404(LabResult.objects.visible_to(request.user).with_facts(), ref=ref)
    require_adding(request, result.patient)
    access.looked(request.user, result.patient, "labs.result", result)
    return result


@login_required
@form_page
def correct(request: SignedInRequest, ref: str) -> HttpResponse:
    """Change a result; the old value and the reason stay visible on its page."""
    result = _result(request, ref)
    now = timezone.now()
    form = CorrectForm(sent(request), result=result, viewer=request.user, now=now)
    valid = form.is_valid()
    known = facts.load([result.patient], now, tests=())[result.patient_id]
    soon = _soon(form, known) if result.analyte.timing_matters else ""
    context = {"patient": result.patient, "result": result, "soon": soon}
    if not valid or "look" in request.POST:
        return answer(request, "labs/correct.html", form, **context)
    try:
        actions.correct_result(by=request.user, result=result, **form.correction())
    except ValidationError as error:
        form.add_error(None, error.messages)
        return answer(request, "labs/correct.html", form, **context)
    messages.success(request, _("Changed. The old value is kept below."))
    return redirect("labs:entry", ref)


@login_required
@form_page
def remove(request: SignedInRequest, ref: str) -> HttpResponse:
    """Take out what was entered in error, with a reason; the row stays, and its page."""
    result = _result(request, ref)
    form = RemoveForm(sent(request))
    if not form.is_valid():
        return answer(request, "labs/remove.html", form, patient=result.patient, result=result)
    error_actions.void_result(by=request.user, result=result, now=timezone.now(), reason=form.cleaned_data["reason"])
    messages.success(request, _("Taken out as entered in error. It counts for nothing any more."))
    return to(request, "labs:list", result.patient)


@login_required
@require_POST
def restore(request: SignedInRequest, ref: str) -> HttpResponse:
    """Put back what this person took out, while nothing about it has changed."""
    result = _result(request, ref)
    try:
        error_actions.restore_result(by=request.user, result=result)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Put back. It counts as it did before."))
    return redirect("labs:entry", ref)
