"""The form of the reminders page: what somebody may choose depends on what he or she is to the reminders."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cycles.forms import ClockField
from il2tracker import ui
from il2tracker.accounts.models import User
from il2tracker.reminders import kinds
from il2tracker.reminders.actions import Habits
from il2tracker.reminders.models import SWITCHES, Delivery, Preference
from il2tracker.reminders.roles import CARER, CLINICIAN, PATIENT
from il2tracker.ui import BaseForm

HOURS = ("quiet_from", "quiet_to", "doses_pass", "most_per_day")


class Group(NamedTuple):
    """Fields that stand under one heading, for whom they are there, and what holds for all of them."""

    name: str
    heading: str | Promise
    roles: frozenset[str]
    fields: tuple[str, ...]
    hint: str | Promise = ""


GROUPS = (
    Group(
        "injections",
        _("Injections"),
        frozenset({PATIENT}),
        (kinds.INJECTION_DUE, "lead_minutes", kinds.INJECTION_MISSING, "after_minutes"),
    ),
    Group(
        "before",
        _("Before a course"),
        frozenset({PATIENT}),
        (
            *(kinds.BLOODWORK_BOOK, kinds.BLOODWORK_DUE, kinds.BLOODWORK_OVERDUE, kinds.RESULTS_MISSING),
            *(kinds.CYCLE_WEEK, kinds.CYCLE_DAY),
        ),
    ),
    Group("feel", _("How you are"), frozenset({PATIENT}), (kinds.CHECK_IN,)),
    Group("plan", _("My plan"), frozenset({PATIENT}), (kinds.PLAN_CHANGED,)),
    Group("carer", _("Somebody I help"), frozenset({CARER}), kinds.CARER_SWITCHES),
    Group(
        "clinic",
        _("My clinic"),
        frozenset({CLINICIAN}),
        kinds.CLINIC_SWITCHES,
        _("Mails about urgent reports cannot be switched off here: they follow your clinic’s list of who is on call."),
    ),
    Group(
        "hours",
        _("Quiet hours and how many"),
        frozenset({PATIENT, CARER}),
        HOURS,
        _("In quiet hours mails about a day wait, and come when the hours are over."),
    ),
)
HELPERS_CLOCK = _("For mails about somebody you help, these hours and the day count on that person’s clock.")
HINTS = {
    kinds.INJECTION_MISSING: _("Once, when nothing has been recorded. Never between midnight and 6am."),
    kinds.BLOODWORK_BOOK: _("3 weeks before a course."),
    kinds.BLOODWORK_DUE: _("2 weeks before a course, if it is neither booked nor taken."),
    kinds.BLOODWORK_OVERDUE: _("9 days before a course, if it is neither booked nor taken."),
    kinds.RESULTS_MISSING: _("3 days before a course, if they are not here."),
    kinds.PLAN_CHANGED: _("When a new version of your plan is there to read."),
    kinds.CHECK_IN: _(
        "At 9am: every day of a course and two days after it, once a week between courses, and the day after a "
        "temperature over your limit. Not when you have written already. Off until you switch it on."
    ),
    kinds.CARER_MISSING: _("Comes only where the person whose diary it is lets you be told."),
    kinds.TO_CALL: _("At 7am on your clinic’s clock, only while one waits. It holds codes, never a name."),
    kinds.DIGEST: _("Mondays at 7am on your clinic’s clock. It holds codes, never a name."),
}


def _lead(minutes: int) -> str:
    if minutes == 0:
        return str(_("At the time itself"))
    return ngettext("%(n)s minute before", "%(n)s minutes before", minutes) % {"n": minutes}


def _after(minutes: int) -> str:
    return ngettext("%(n)s minute after", "%(n)s minutes after", minutes) % {"n": minutes}


def _one_of(label: Any, values: Iterable[int], say: Any, wrong: Any, hint: Any = "") -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        help_text=hint,
        coerce=int,
        choices=lambda: [(value, say(value)) for value in values],
        error_messages={"required": wrong, "invalid_choice": wrong},
    )


class PreferencesForm(BaseForm):
    """One switch per kind of mail, how early, and the quiet hours.

    `shown` travels with the page: only what the person saw is changed, though he or she may be more by now. `is_first`:
    nothing was ever chosen.
    """

    shown = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": _("Load this page again: nothing came with it.")}
    )

    def __init__(
        self,
        data: Any = None,
        *,
        viewer: User,
        roles: Collection[str],
        preferences: Iterable[Preference],
        delivery: Delivery | None,
    ) -> None:
        theirs = [group for group in GROUPS if group.roles & set(roles)]
        seen = data.get("shown", "").split() if data is not None else []
        self.shown_groups = [group for group in theirs if group.name in seen] or theirs
        names = [name for group in self.shown_groups for name in group.fields]
        known = {row.kind: row for row in preferences}
        self.is_first = not known and delivery is None
        initial = {"shown": " ".join(group.name for group in self.shown_groups)}
        super().__init__(data, initial=initial | _initial(known, delivery or Delivery(user=viewer), viewer))
        made = {**_switches(), **_minutes(), **_hours(viewer)}
        self.fields.update({name: made[name] for name in names})

    def clean_shown(self) -> str:
        """Refuses what was sent without saying what was on the page."""
        shown = str(self.cleaned_data["shown"])
        if not set(shown.split()) & {group.name for group in self.shown_groups}:
            raise ValidationError(self.fields["shown"].error_messages["required"])
        return shown

    @property
    def groups(self) -> list[tuple[Group, list[forms.BoundField]]]:
        """Each group with its boxes, in the order of the page."""
        groups = [group._replace(hint=self._hint(group)) for group in self.shown_groups]
        return [(group, [self[name] for name in group.fields]) for group in groups]

    def _hint(self, group: Group) -> str:
        """Nothing that only a helper gets ever waits."""
        if group.name != "hours":
            return str(group.hint)
        said = ((group.hint, kinds.INJECTION_DUE), (HELPERS_CLOCK, kinds.CARER_MISSING))
        return " ".join(str(words) for words, field in said if field in self.fields)

    def chosen(self) -> dict[str, Any]:
        """What a valid form says, as `actions.choose` takes it."""
        cleaned = self.cleaned_data
        habits = Habits(*(cleaned[name] for name in HOURS)) if HOURS[0] in cleaned else None
        return {
            "switches": {name: cleaned[name] for name in kinds.ALL_SWITCHES if name in cleaned},
            "lead_minutes": cleaned.get("lead_minutes"),
            "after_minutes": cleaned.get("after_minutes"),
            "habits": habits,
        }


def _initial(known: dict[str, Preference], delivery: Delivery, viewer: User) -> dict[str, Any]:
    due, missing = known.get(kinds.INJECTION_DUE), known.get(kinds.INJECTION_MISSING)
    return {
        **{name: _is_on(name, known) for name in kinds.ALL_SWITCHES},
        "lead_minutes": due.lead_minutes if due else kinds.DEFAULT_LEAD,
        "after_minutes": missing.after_minutes if missing else kinds.DEFAULT_AFTER,
        "quiet_from": ui.clock(delivery.quiet_from, viewer),
        "quiet_to": ui.clock(delivery.quiet_to, viewer),
        "doses_pass": delivery.doses_pass,
        "most_per_day": delivery.most_per_day,
    }


def _is_on(name: str, known: dict[str, Preference]) -> bool:
    return known[name].is_on if name in known else name not in kinds.OFF_AT_FIRST


def _switches() -> dict[str, forms.Field]:
    return {
        name: forms.BooleanField(label=label, required=False, help_text=HINTS.get(name, "")) for name, label in SWITCHES
    }


def _minutes() -> dict[str, forms.Field]:
    return {
        "lead_minutes": _one_of(_("How early"), kinds.LEADS, _lead, _("Choose how early.")),
        "after_minutes": _one_of(_("When it counts as not recorded"), kinds.AFTERS, _after, _("Choose when.")),
    }


def _hours(viewer: User) -> dict[str, forms.Field]:
    return {
        "quiet_from": ClockField(label=_("From"), viewer=viewer),
        "quiet_to": ClockField(label=_("To"), viewer=viewer, help_text=_("The same time twice: no quiet hours.")),
        "doses_pass": forms.BooleanField(
            label=_("Reminders of injections come all the same in these hours"),
            required=False,
            help_text=_(
                "Without the tick they are not sent in these hours at all. They stand in the list all the same."
            ),
        ),
        "most_per_day": _one_of(
            _("Most mails a day"),
            kinds.CAPS,
            str,
            _("Choose a number."),
            _(
                "What is beyond waits for the next day or runs out; the list says so. "
                "Account mails and test mails come besides."
            ),
        ),
    }
