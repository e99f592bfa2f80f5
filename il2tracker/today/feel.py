"""What the patient said last about how he or she felt, in one sentence."""

from __future__ import annotations

from datetime import date

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from sideeffects import handover
from sideeffects.models import CheckIn, SymptomReport


def last_check_in(patient: Patient) -> CheckIn | None:
    """The newest check-in with its symptoms: two statements."""
    reports = Prefetch("reports", SymptomReport.objects.select_related("symptom"))
    return CheckIn.objects.of(patient).newest_first().prefetch_related(reports).first()


def said(check_in: CheckIn, today: date, clock: str) -> str:
    """ "At 2:10pm you wrote: 38.3 °C, tired (moderate)."; with the day when it was not today."""
    parts = [str(check_in.reading)] if check_in.reading else []
    parts += handover.flag_words(check_in) if check_in.flags else []
    parts += handover.symptom_words(check_in)
    parts += [_("no other symptoms")] if check_in.no_symptoms else []
    parts += [_("a note")] if check_in.note else []
    at = check_in.local_felt_at
    facts = {
        "day": ui.long_day(at),
        "time": ui.clock(at, clock),
        "what": ", ".join(part[:1].lower() + part[1:] for part in parts) or _("none of the urgent signs"),
    }
    if at.date() == today:
        return _("Written today at %(time)s: %(what)s.") % facts
    return _("Written on %(day)s at %(time)s: %(what)s.") % facts
