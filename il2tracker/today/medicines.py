"""The page of other medicines: the list, what the plan names before an injection, and what the sources say about
names on it. Facts side by side, never advice to take or to leave anything (P32, P33, H21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import interactions
from cycles.models import Medication
from il2tracker import ui
from il2tracker.accounts.models import Patient
from labs import range_words
from labs.models import LabResult
from sideeffects import asking

STOPPED_SHOWN = 50
RECENT = timedelta(days=90)  # app's own: an older result says nothing about now
SAID = {
    ("creatinine", "high"): gettext_lazy("Creatinine of %(day)s was above its laboratory’s range."),
    ("platelets", "low"): gettext_lazy("Platelets of %(day)s were below their laboratory’s range."),
}


@dataclass(frozen=True)
class Note:
    """What the sources say about names on the list: a title, and one fact a line."""

    title: str
    facts: list[str]


@dataclass(frozen=True)
class Page:
    """What the template reads. `before` = the medicines before an injection, as the clinician entered them."""

    taken: list[Medication]
    stopped: list[Medication]
    before: list[str]
    notes: list[Note]


def compose(patient: Patient, now: datetime) -> Page:
    """Everything on the page, in a number of statements that does not depend on how much there is."""
    rows, today = Medication.objects.of(patient).standing(), patient.today(now)
    taken = list(rows.taken_on(today).select_related("recorded_by"))
    before = _before(patient, today)
    found = interactions.find([*(each.name for each in taken), *before])
    return Page(
        taken=taken,
        stopped=list(rows.filter(stopped_on__lte=today).order_by("-stopped_on", "name")[:STOPPED_SHOWN]),
        before=before,
        notes=[*_of_interaction(found), *_of_anti_inflammatories(found, patient, today)],
    )


def _before(patient: Patient, today: date) -> list[str]:
    """What the version in force names, as the summary of an entry does."""
    version = asking.version_in_force(patient, today)
    return [line.strip() for line in version.premedication.splitlines() if line.strip()] if version else []


def _of_interaction(found: interactions.Found) -> list[Note]:
    names = found.may_interact
    if not names:
        return []
    facts = [
        _("Some antihistamines and protease inhibitors affect each other seriously (source on IL-2 and HIV)."),
        _("Ask your clinic or your pharmacist about them together, if nobody has looked at both yet."),
    ]
    return [Note(_("Together on this list: %(names)s") % {"names": ", ".join(names)}, facts)]


def _of_anti_inflammatories(found: interactions.Found, patient: Patient, today: date) -> list[Note]:
    """Both facts, none of them advice (H21), and the two results they hang on."""
    names = found.anti_inflammatories
    if not names:
        return []
    facts = [
        _("The source on IL-2 and HIV names ibuprofen, with an antihistamine, as taken before injections."),
        _("The label of aldesleukin lists such medicines among those that can harm the kidneys together with it."),
        *_results(patient, today),
        _("Only as agreed with your clinic."),
    ]
    return [Note(_("Two facts about %(names)s") % {"names": ", ".join(names)}, facts)]


def _results(patient: Patient, today: date) -> list[str]:
    """The newest result of each test of the last weeks, where it lies on the side that matters."""
    recent = LabResult.objects.standing().of(patient).filter(drawn_on__gt=today - RECENT)
    newest = {
        result.analyte.code: result
        for result in recent.filter(analyte__code__in={code for code, _side in SAID})
        .select_related("analyte")
        .order_by("drawn_on", "drawn_at", "pk")
    }
    sides = [(result, (code, range_words.side_of(result) or "")) for code, result in newest.items()]
    return [SAID[side] % {"day": ui.long_day(result.drawn_on)} for result, side in sides if side in SAID]
