"""The pages on which a plan changes, and on which the patient confirms having read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import change_forms, diffs, plan_editor, version_actions, versions
from cycles.change_forms import ChangePlanForm
from cycles.day_runs import LONGEST_CYCLE
from cycles.models import Cycle, Plan
from cycles.plan_views import prescribed, to_plan
from cycles.schedule_rows import Rows
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent

ADVICE = re.compile(r"[A-Z]{2,8}-\d{1,2}")


@dataclass(frozen=True)
class Ground:
    """What a change starts from: the plan, and the first course that it may apply to, with its day and its row.

    `latest` is the course before that one, whose terms stay as they are.
    """

    plan: Plan
    course: int
    coming: Cycle | None
    starts_on: date
    latest: Cycle | None

    def changes(self, form: ChangePlanForm, clock: str) -> list[diffs.Change]:
        """What the valid form would change against the version in force."""
        found = diffs.changes(self.plan.current_version, form.draft, clock)
        starts_on = form.cleaned_data["starts_on"]
        if self.coming is None or starts_on == self.starts_on:
            return found
        name = _("First day of course %(n)s") % {"n": self.course}
        return [*found, diffs.Change(name, ui.long_day(self.starts_on), ui.long_day(starts_on))]

    def preview(self, form: ChangePlanForm, changes: list[diffs.Change]) -> dict[str, Any]:
        """What the page shows on which the valid form is looked at before it is signed."""
        before = self.latest.last_dose_on if self.latest else None
        outlook = form.outlook(self.course, before)
        return {"form": form, "changes": changes, "outlook": outlook, "protocol": self.plan.protocol}


def _ground(request: SignedInRequest, patient: Patient, today: date) -> Ground:
    plan = get_object_or_404(Plan.objects.visible_to(request.user).of(patient).active().with_versions())
    courses = Cycle.objects.visible_to(request.user).filter(plan=plan).select_related("version").order_by("-number")
    number, coming = version_actions.coming_course(plan, today)
    latest = courses.filter(number__lt=number).first()
    starts_on = coming.starts_on if coming else latest.next_starts_on if latest else plan.current_version.starts_on
    return Ground(plan, number, coming, starts_on, latest)


@login_required
@form_page
def plan_change(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Enter what changes, look at every dose and at both versions, sign the new one (B7)."""
    patient, now = prescribed(request, code), timezone.now()
    today, step = patient.today(now), request.POST.get("step")
    ground = _ground(request, patient, today)
    form = _open(request, patient, ground, today)
    context = {"patient": patient, "plan": ground.plan, "ground": ground, "today": today, "asked": _asked(request.GET)}
    changes = ground.changes(form, request.user.clock) if form.is_valid() else []
    _refuse(request, form, ground, changes, context)
    if form.is_bound and form.is_valid() and step == "save" and _sign(request, form, ground, now):
        said = _("The change is signed. It applies from course %(n)s.")
        return to_plan(request, patient, said % {"n": ground.course})
    if form.errors or not form.is_bound or step == "back":
        return answer(request, "cycles/plan_change.html", form, **context)
    return render(request, "cycles/plan_preview.html", {**context, **ground.preview(form, changes)})


def _sign(request: SignedInRequest, form: ChangePlanForm, ground: Ground, now: datetime) -> bool:
    """Whether it could be signed; else the form says why not."""
    try:
        version_actions.change_plan(by=request.user, plan=ground.plan, now=now, **form.change)
    except ValidationError as refused:
        form.add_error(None, refused)
    return not form.errors


def _open(request: SignedInRequest, patient: Patient, ground: Ground, today: date) -> ChangePlanForm:
    version, data = ground.plan.current_version, sent(request)
    rows, starts_on = change_forms.rows_of(version), ground.starts_on
    if data is None:
        rows, starts_on = _prefilled(request.GET, ground, rows)
    known = {"protocol": ground.plan.protocol, "patient": patient, "today": today, "viewer": request.user}
    known |= {"base": version, "course": ground.course, "coming": ground.coming, "starts_on": starts_on}
    return plan_editor.open_form(ChangePlanForm, data, rows=rows, **known)


def _refuse(
    request: SignedInRequest, form: ChangePlanForm, ground: Ground, changes: list[diffs.Change], context: dict[str, Any]
) -> None:
    """Nothing changed, the course has begun since, or somebody was quicker: then both versions stand side by side."""
    current = ground.plan.current_version
    looked_at = request.POST.get("base_number", "")
    if form.is_bound and looked_at != str(current.number):
        base = next((version for version in ground.plan.versions.all() if str(version.number) == looked_at), None)
        theirs = diffs.changes(base, current, request.user.clock) if base else []
        context |= {"overtaken": True, "theirs": theirs, "yours": changes}
        form.renew("base_number", current.number)
        form.add_error(None, _("The plan was changed while you were writing. Nothing of yours is saved yet."))
    elif form.is_bound and request.POST.get("from_course") != str(ground.course):
        form.renew("from_course", ground.course)
        words = {"course": ground.course, "day": ui.long_day(ground.starts_on)}
        form.add_error(None, _("A change now applies from course %(course)s, planned from %(day)s.") % words)
    elif form.is_bound and not form.errors and not changes and (current.is_confirmed or not form.for_clinic):
        form.add_error(None, _("Nothing is different from the plan as it is."))


def _asked(query: QueryDict) -> str:
    """The rule of the suggestion that led here."""
    rule = query.get("advice", "")
    return rule if ADVICE.fullmatch(rule) else ""


def _prefilled(query: QueryDict, ground: Ground, rows: Rows) -> tuple[Rows, date]:
    """What a suggestion fills in: another amount a day, another interval, from the course to come or after it (D7)."""
    starts_on, daily, interval = ground.starts_on, _number(query, "daily"), _number(query, "interval")
    if daily and daily <= 1000:
        rows = plan_editor.with_daily(rows, daily)
    if interval and interval == int(interval) and interval <= LONGEST_CYCLE:
        rows = plan_editor.with_interval(rows, int(interval))
        if ground.latest is not None and query.get("after") != "1":
            starts_on = ground.latest.starts_on + timedelta(days=int(interval))
    return rows, starts_on


def _number(query: QueryDict, name: str) -> Decimal | None:
    try:
        number = Decimal(query.get(name, ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


@login_required
@form_page
def plan_update(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """What the newest version changes; the patient, or who keeps the diary, confirms having read that one (B7)."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "cycles.plan")
    plan = get_object_or_404(Plan.objects.visible_to(request.user).of(patient).active().with_versions())
    entry, may_confirm = versions.to_read(plan, request.user.clock), access.may_record(request.user, patient)
    courses = Cycle.objects.visible_to(request.user).filter(plan=plan)
    held = None if access.is_member_for(request.user, patient) else versions.on_hold(courses)
    if request.method == "POST":
        access.require_recording(request.user, patient)
        if held is None and request.POST.get("number") == str(entry.version.number):
            version_actions.confirm_read(by=request.user, version=entry.version, now=timezone.now())
            return to_plan(request, patient, _("Thank you. Your clinic sees that you have read it."))
    starts = next((course for course in courses if course.number == entry.version.first_course), None)
    again = request.method == "POST"
    context = {"patient": patient, "plan": plan, "entry": entry, "course": starts, "may_confirm": may_confirm}
    context |= {"held": held, "again": again}
    return render(request, "cycles/plan_update.html", context, status=422 if again else 200)
