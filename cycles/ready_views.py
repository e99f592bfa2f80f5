"""The questions before a course, one a page, and the list of things to get ready."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import asking, confirming, questions, ready_actions
from cycles.asking import Asked
from cycles.models import Cycle
from cycles.questions import Question
from cycles.ready_forms import AnswerForm, ListForm
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent


def _patient(request: SignedInRequest, code: str | None) -> Patient:
    patient = access.patient_or_404(request.user, code)
    access.require_recording(request.user, patient)
    return patient


def _to(request: SignedInRequest, patient: Patient, name: str, **kwargs: object) -> HttpResponse:
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, name, **kwargs))


@login_required
@form_page
def question(request: SignedInRequest, question: int, code: str | None = None) -> HttpResponse:
    """One question before the course: answered, and on to the next; or saved, to go on another time."""
    patient, now = _patient(request, code), timezone.now()
    if question not in questions.BY_NUMBER:
        raise Http404
    asked = _asked(request, patient, now)
    line = next((line for line in asked.lines if line.question.number == question), None) if asked else None
    if asked is None or line is None:
        return _to(request, patient, "today:ready")
    access.looked(request.user, patient, "cycles.readiness")
    known = {"answer": line.row.answer, "note": line.row.note} if line.row and not line.is_stale else {}
    form = AnswerForm(sent(request), initial=known)
    if form.chosen:
        said = {"answer": form.chosen, "note": form.kept}
        ready_actions.answer_question(by=request.user, cycle=asked.cycle, question=line.question, now=now, **said)
    if form.chosen and (form.is_valid() or _waits(line.question, form.chosen)):
        return _onward(request, asked, line.question, form)
    if "later" in request.POST and form.says_nothing:
        return _to(request, patient, "today:ready")
    return answer(
        request, "cycles/ready_question.html", form, **_shown(asked, line.question, now), is_saved=form.chosen
    )


def _asked(request: SignedInRequest, patient: Patient, now: datetime) -> Asked | None:
    """The questions that can be answered now; None when there are none."""
    today = patient.today(now)
    cycle = confirming.next_course(Cycle.objects.visible_to(request.user).of(patient), today)
    asked = asking.read(cycle, patient, today) if cycle else None
    return asked if asked and asked.is_open else None


def _shown(asked: Asked, question: Question, now: datetime) -> dict[str, object]:
    patient = asked.cycle.patient
    return {
        "asked": asked,
        "question": question,
        "place": asked.place(question),
        "count": len(asked.lines),
        "previous": asked.before(question),
        "patient": patient,
        "card": access.contact_card(patient, now),
        "clinic": access.open_clinic(patient),
    }


def _waits(question: Question, word: str) -> bool:
    """Whether the course waits from this answer on."""
    return bool(question.hold) and word != questions.NO


def _onward(request: SignedInRequest, asked: Asked, question: Question, form: AnswerForm) -> HttpResponse:
    """To the telephone when the course waits now, else to the next question or to the list."""
    patient = asked.cycle.patient
    if _waits(question, form.chosen):
        if form.errors:
            messages.warning(request, _("Saved with the first 200 signs of your words. Tell the rest when you call."))
        return _to(request, patient, "cycles:waits")
    if form.chosen == questions.YES and question.advice:
        messages.warning(request, _(question.advice))
    following = asked.after(question)
    if "later" in request.POST or following is None:
        messages.success(request, _("Saved. You can change an answer, or go on, until day 1."))
        return _to(request, patient, "today:ready")
    return _to(request, patient, "cycles:question", question=following.number)


@login_required
@form_page
def prepare(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The list of things to get ready: tick, untick, save (2.4)."""
    patient, now = _patient(request, code), timezone.now()
    cycle = confirming.next_course(Cycle.objects.visible_to(request.user).of(patient), patient.today(now))
    if cycle is None:
        return _to(request, patient, "today:ready")
    access.looked(request.user, patient, "cycles.readiness")
    todo = asking.to_do(cycle)
    form = ListForm(sent(request), wanted=todo.items, patient=patient, rows=todo.rows)
    if not form.is_valid():
        card = access.contact_card(patient, now)
        return answer(request, "cycles/prepare.html", form, todo=todo, cycle=cycle, patient=patient, card=card)
    ready_actions.keep_list(
        by=request.user,
        cycle=cycle,
        ticked=form.ticked,
        wanted={item.code for item in todo.items},
        now=now,
        companion=form.companion,
    )
    done = {"done": len(form.ticked), "all": len(todo.items)}
    messages.success(request, _("Saved: %(done)s of %(all)s are ready.") % done)
    return _to(request, patient, "today:ready")
