"""What was before the diary began: an earlier treatment with IL-2 and the lowest CD4+ count ever (D3, H11).

Without the first answer no test before the first injection can be called a baseline, so the forms ask it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.accounts.models import Patient

FIRST_IL2 = date(1980, 1, 1)  # app's own: no injection and no CD4+ count is older
HIGHEST_COUNT = 5000  # D3.5
OWN_QUESTION = gettext_lazy("Have you had this treatment before this diary began?")
CLINICS_QUESTION = gettext_lazy("Has the patient had IL-2 before this diary begins?")

ANSWERS = [
    (Patient.EarlierIL2.NEVER.value, gettext_lazy("No")),
    (Patient.EarlierIL2.ON.value, gettext_lazy("Yes")),
    (Patient.EarlierIL2.UNKNOWN.value, gettext_lazy("I do not know")),
]


def earlier_fields(question: Any) -> dict[str, forms.Field]:
    """Whether there was a treatment before the diary, and the day of its last injection. Nobody's answer is guessed."""
    refusal = gettext_lazy("Say whether there was a treatment before, or that you do not know.")
    return {
        "earlier_il2": forms.ChoiceField(
            label=question,
            help_text=gettext_lazy("The blood tests before the first injection are read by this answer."),
            choices=ANSWERS,
            widget=forms.RadioSelect,
            error_messages={"required": refusal},
        ),
        "earlier_il2_on": _day(gettext_lazy("If yes, the last injection was on")),
    }


def nadir_fields() -> dict[str, forms.Field]:
    """The lowest count ever measured, before or during the diary; never taken from unreliable results (2.3)."""
    return {
        "nadir_cd4": forms.IntegerField(
            label=gettext_lazy("Lowest CD4+ count ever"),
            required=False,
            min_value=0,
            max_value=HIGHEST_COUNT,
            help_text=gettext_lazy("In cells/mm³, as the laboratory wrote it."),
            widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-num", "autocomplete": "off"}),
            error_messages={"invalid": gettext_lazy("Enter the lowest count as a whole number, for example 212.")},
        ),
        "nadir_on": _day(gettext_lazy("When it was")),
    }


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-day"}),
        error_messages={"invalid": gettext_lazy("Enter the day as a date, like 2026-11-04.")},
    )


def check(form: forms.BaseForm, now: datetime) -> None:
    """Says beside the fields what does not fit together. Call from `clean`."""
    sent = form.cleaned_data
    _check_days(form, sent, now)
    answer, on = sent.get("earlier_il2"), sent.get("earlier_il2_on")
    if answer == Patient.EarlierIL2.ON and on is None and "earlier_il2_on" not in form.errors:
        form.add_error("earlier_il2_on", _("Enter the day of the last injection, or choose another answer."))
    if answer in {Patient.EarlierIL2.NEVER, Patient.EarlierIL2.UNKNOWN} and on is not None:
        form.add_error("earlier_il2_on", _("There is a day here: choose “Yes”, or leave the day empty."))
    if sent.get("nadir_on") and sent.get("nadir_cd4") is None and "nadir_cd4" not in form.errors:
        form.add_error("nadir_cd4", _("Enter the lowest count as well, or leave its day empty."))


def _check_days(form: forms.BaseForm, sent: dict[str, Any], now: datetime) -> None:
    today = now.astimezone(ZoneInfo(sent["time_zone"])).date() if sent.get("time_zone") else now.date()
    for name in ("earlier_il2_on", "nadir_on"):
        on = sent.get(name)
        if on and on > today:
            form.add_error(name, _("This day has not come yet."))
        elif on and on < FIRST_IL2:
            form.add_error(name, _("Check the year: %(year)s cannot be right.") % {"year": on.year})
