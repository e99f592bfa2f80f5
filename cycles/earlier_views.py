"""The page on which courses from before the diary are written down."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import earlier_actions
from cycles.earlier_forms import EarlierForm
from cycles.models import Cycle, Plan
from cycles.plan_views import prescribed, to_plan
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent

LINES = 3


@login_required
@form_page
def plan_earlier(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """How many courses there were before, and what is known of them, so that a diary can begin in its third year."""
    patient, now = prescribed(request, code), timezone.now()
    plan = get_object_or_404(Plan.objects.visible_to(request.user).of(patient).active().with_versions())
    own = earlier_actions.first_own(plan)
    form = _open(sent(request), own.number - 1)
    known = Cycle.objects.visible_to(request.user).filter(plan=plan, number__lt=own.number).order_by("-number")
    context = {"patient": patient, "plan": plan, "own": own, "known": known}
    if not form.is_valid():
        return answer(request, "cycles/plan_earlier.html", form, **context)
    count = form.cleaned_data["count"]
    try:
        earlier_actions.record_earlier(by=request.user, plan=plan, count=count, courses=form.courses, now=now)
    except ValidationError as refused:
        form.add_error(None, refused)
        return answer(request, "cycles/plan_earlier.html", form, **context)
    return to_plan(
        request, patient, _("Written down. The next course is numbered after %(n)s earlier ones.") % {"n": count}
    )


def _open(data: QueryDict | None, count: int) -> EarlierForm:
    """As looked at, with one more line, or as sent."""
    if data is None:
        return EarlierForm(lines=LINES, initial={"count": count or None})
    lines = int(data.get("lines", "")) if data.get("lines", "").isdecimal() else LINES
    if data.get("step") == "line":
        return EarlierForm(lines=lines + 1, initial=data.dict())
    return EarlierForm(data, lines=lines)
