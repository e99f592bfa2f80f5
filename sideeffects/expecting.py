"""The page that says what to expect: the days of this patient's course, the clinic's own words, and the whole list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from cycles.models import Cycle, PlanVersion
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from sideeffects import effects
from sideeffects.asking import version_in_force
from sideeffects.models import Expectation, Symptom


@dataclass(frozen=True)
class Row:
    """One effect as this reader sees it: how often in words, and what the sources say to do."""

    effect: effects.Listed
    often: list[str]
    says: list[effects.Advice]


@dataclass(frozen=True)
class System:
    """A body system with its effects."""

    title: str
    rows: list[Row]


@dataclass(frozen=True)
class Page:
    """What the template reads. Until an urgent report is closed nothing on the page calms (R22, M16)."""

    version: PlanVersion | None
    own: effects.Source | None
    urgent: Alert | None
    cycle: Cycle | None
    parts: list[tuple[effects.Part, bool]]
    expected: list[Expectation]
    flags: list[Symptom]
    systems: list[System]

    @property
    def sources(self) -> list[effects.Source]:
        """Both texts, the one about this treatment first."""
        return sorted(effects.SOURCES.values(), key=lambda source: source != self.own)


def compose(patient: Patient, now: datetime) -> Page:
    """What to expect, for one patient on one day."""
    today = patient.today(now)
    version = version_in_force(patient, today)
    indication = version.indication if version else ""
    urgent = Alert.objects.of(patient).not_closed().filter(tier__in=Alert.URGENT).most_urgent_first().first()
    cycle = Cycle.objects.of(patient).current(today).select_related("plan__protocol").first() if version else None
    return Page(
        version=version,
        own=effects.SOURCES.get(effects.OWN_SOURCE.get(indication, "")),
        urgent=urgent,
        cycle=cycle,
        parts=_parts(version, cycle, today, calm=urgent is None),
        expected=list(Expectation.objects.of(patient).on(today).select_related("symptom", "set_by")),
        flags=[symptom for symptom in Symptom.objects.all() if symptom.is_flag(indication)],
        systems=_systems(indication, calm=urgent is None),
    )


def _parts(
    version: PlanVersion | None, cycle: Cycle | None, today: date, *, calm: bool
) -> list[tuple[effects.Part, bool]]:
    """The days, and whether today is among them; only of the regimen that the source speaks of (A60, B73)."""
    if version is None or not calm or not _is_the_sources(version):
        return []
    day = (today - cycle.starts_on).days + 1 if cycle and cycle.has_started(today) else None
    return [(part, part.holds(day)) for part in effects.days(version.indication)]


def _is_the_sources(version: PlanVersion) -> bool:
    """Five days twice a day under the skin, or the injections of the kidney leaflet: what the two texts are about."""
    protocol = version.plan.protocol
    return bool(protocol.hardest_days) if version.indication == "hiv" else protocol.route == "sc"


def _systems(indication: str, *, calm: bool) -> list[System]:
    titles = {str(value): str(words) for value, words in Symptom.Group.choices} | {"blood": _("Seen in blood tests")}
    return [
        System(titles[system], [_row(one, indication, calm=calm) for one in listed])
        for system, listed in effects.by_system(indication)
    ]


def _row(effect: effects.Listed, indication: str, *, calm: bool) -> Row:
    of = {"hiv": _("%(often)s (HIV text)"), "kidney": _("%(often)s (kidney text)")}
    often = [of[source] % {"often": word} for source, word in effect.listed(indication)]
    says = [*effect.says, *(effect.fluids + effect.calms if calm else ())]
    return Row(effect, often, says)
