"""What the page about privacy shows: the three levels, each with what it may say and how one mail is called on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cycles.models import Cycle
from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import kinds, sample
from il2tracker.reminders.models import Kind
from il2tracker.reminders.patient_mails import DISCREET, FULL, PLAIN
from il2tracker.reminders.sample import Sample

BLOODWORK = {kind.name for kind in kinds.DAY_KINDS if kind.is_bloodwork}


@dataclass(frozen=True)
class Shown:
    """Which mail is in the frame."""

    kind: str
    level: str


@dataclass(frozen=True)
class Level:
    """One choice, with what it lets a mail say."""

    name: str
    label: str
    says: str
    mail: Sample


def shown(asked: Mapping[str, str], patient: Patient) -> Shown:
    """The mail that was asked for; without a script that is how another one is looked at."""
    kind, level = asked.get("kind"), asked.get("privacy")
    return Shown(
        kind if kind in sample.KINDS else next(iter(sample.KINDS)),
        level if level in sample.LEVELS else patient.privacy,
    )


def kinds_to_show(patient: Patient) -> list[tuple[str, str]]:
    """The mails that can be looked at, with their names: none about blood tests that no plan of his asks for."""
    cycles = Cycle.objects.of(patient)
    timed = cycles.filter(version__timing_matters=True).exists() or not cycles.exists()
    return [(name, str(Kind(kind).label)) for name, kind in sample.KINDS.items() if timed or kind not in BLOODWORK]


def levels(patient: Patient, user: User, kind: str, now: datetime) -> list[Level]:
    """The three of them, the quietest first. `kind`: which mail stands beside each."""
    labels = dict(Patient._meta.get_field("privacy").flatchoices)
    mails = {name: sample.sample(patient, user, kind, name, now) for name in sample.LEVELS}
    return [Level(name, str(labels[name]), _says()[name], mails[name]) for name in sample.LEVELS]


def _says() -> dict[str, str]:
    return {
        DISCREET: _("Words that anybody may read: diary, reminder, appointment, item."),
        PLAIN: _("The subject also says injection, blood test or course. No amounts, tests or values."),
        FULL: _(
            "Also amounts, names of tests, your list and what changes. Your clinic’s name stands as the sender. "
            "Whoever sees such a mail can tell what you are treated for."
        ),
    }
