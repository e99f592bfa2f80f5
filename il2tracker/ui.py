"""Template tags and filters that every template has without loading them, and the base of every form.

Tags     {% icon "phone" %}  {% mark "done" %}  {% patient_url "labs:add" %}  {% current "labs" "labs:add" %}
Numbers  |miu "7.5 million units"   |number "7.5"   {% over value unit %} "over 38 °C (100.5 °F or more)"
Moments  |in_zone:patient first, then |clock:user "10pm" or "22:00", |long_day, |short_day; |ago:now "35 minutes ago"
Doses    |hour:user "10pm", or "10pm (London time)" where the patient lives by another clock now
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.helper import FormHelper
from django import forms, template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


class BaseForm(forms.Form):
    """A form of ours: the server checks, the browser never stops a save. A field's `.unit` stands behind its box."""

    use_required_attribute = False

    @property
    def helper(self) -> FormHelper:
        """For `{% crispy form %}`: only the fields; the template holds the form tag, the summary and the button."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.form_show_errors = False
        return helper


@register.simple_tag
def icon(name: str) -> SafeString:
    """An outline picture of the sprite, hidden from screen readers: words always stand beside it."""
    return _use("icon", f"i-{name}")


@register.simple_tag
def mark(name: str) -> SafeString:
    """One of our own marks: done, due, open, none, tally."""
    return _use("glyph", f"m-{name}")


def _use(css_class: str, symbol: str) -> SafeString:
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        css_class,
        static("img/icons.svg"),
        symbol,
    )


@register.simple_tag(takes_context=True)
def patient_url(context: Any, name: str, **kwargs: Any) -> str:
    """The address of a patient's page: with the patient's code when somebody else is looking."""
    patient, user = context["patient"], context["user"]
    if patient.user_id is None or patient.user_id != user.pk:
        kwargs["code"] = patient.code
    return reverse(name, kwargs=kwargs)


@register.simple_tag(takes_context=True)
def current(context: Any, *names: str) -> SafeString | str:
    """`aria-current` for a link of the navigation: "page" on the first name, "true" on the others (or namespaces)."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if match is None or not {match.view_name, match.namespace} & set(names):
        return ""
    return format_html(' aria-current="{}"', "page" if match.view_name == names[0] else "true")


@register.filter
def number(value: Decimal | int | str | None) -> str:
    """7.500 → "7.5", 10000 → "10,000": no trailing zeros, thousands apart, never an exponent."""
    if value is None or value == "":
        return ""
    amount = Decimal(str(value)).normalize()
    return number_format(format(amount, "f"), use_l10n=True, force_grouping=True)


@register.filter
def miu(value: Decimal | int | None) -> str:
    """An amount in MIU as patients read it: "7.5 million units"."""
    if value is None or value == "":
        return ""
    return _("%(amount)s million units") % {"amount": number(value)}


@register.simple_tag
def over(value: Decimal, unit: str) -> str:
    """A fever limit in its own unit and, in brackets, the first tenth of a degree above it in the other (C2, O6)."""
    fahrenheit = unit == "F"
    exact = (Decimal(value) - 32) / Decimal("1.8") if fahrenheit else Decimal(value) * Decimal("1.8") + 32
    first = Decimal(math.floor(exact * 10) + 1) / 10
    own, other = ("°F", "°C") if fahrenheit else ("°C", "°F")
    words = {"limit": f"{number(value)}\N{NO-BREAK SPACE}{own}", "first": f"{number(first)}\N{NO-BREAK SPACE}{other}"}
    return _("over %(limit)s (%(first)s or more)") % words


@register.filter
def tel(value: str) -> str:
    """What stands in the href of a telephone link."""
    return "tel:" + "".join(sign for sign in str(value) if sign.isdigit() or sign == "+")


@register.filter
def in_zone(value: datetime | None, zone: Any) -> datetime | None:
    """The moment on the clock of a zone: a ZoneInfo, its name, or anything that has `.zone`."""
    if value is None:
        return None
    zone = getattr(zone, "zone", zone)
    return value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


def _local(value: Any) -> Any:
    """Refuses a stored moment that nobody has put on a clock yet: it would silently show UTC."""
    if isinstance(value, datetime) and value.tzinfo in (UTC, None):
        raise ValueError("Put the moment on somebody's clock first: {{ moment|in_zone:patient|clock:user }}.")
    return value


@register.filter
def clock(value: datetime | time | None, viewer: Any = None) -> str:
    """A time of day as the viewer reads clocks: "9:40pm", "midnight", or "21:40"."""
    if value is None:
        return ""
    moment = _local(value)
    if (viewer if isinstance(viewer, str) else getattr(viewer, "clock", "12")) == "24":
        return f"{moment.hour:02}:{moment.minute:02}"
    if moment.minute == 0 and moment.hour % 12 == 0:
        return _("midday") if moment.hour else _("midnight")
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes}{_('pm') if moment.hour >= 12 else _('am')}"


@register.filter
def hour(dose: Any, viewer: Any = None) -> str:
    """The planned hour of a dose, with the place whose clock it is when the patient lives by another one (H09)."""
    words = clock(dose.local_time, viewer)
    return f"{words} ({whose_time(dose)})" if whose_time(dose) else words


@register.filter
def whose_time(dose: Any) -> str:
    """ "London time" for a dose on another clock than its patient's; else nothing."""
    if dose.zone == dose.patient.time_zone:
        return ""
    return _("%(place)s time") % {"place": dose.zone.rpartition("/")[2].replace("_", " ")}


@register.filter
def long_day(value: date | None) -> str:
    """Wednesday 25 November 2026: months in full, screen readers misread short ones."""
    return _day(value, "l j F Y")


@register.filter
def short_day(value: date | None) -> str:
    """Wed 25 Nov, for clinicians' tables and narrow grids."""
    return _day(value, "D j M")


def _day(value: date | None, pattern: str) -> str:
    return "" if value is None else dateformat.format(_local(value), pattern)


@register.filter
def ago(value: datetime | date | None, now: datetime | date) -> str:
    """How long before `now`: "35 minutes ago", "yesterday"; after it: "in 25 minutes". Both moments, or both days."""
    if value is None:
        return ""
    if isinstance(value, datetime) and isinstance(now, datetime):
        minutes = round((now - value).total_seconds() / 60)
        return _said(_length(abs(minutes)), minutes) if abs(minutes) < 48 * 60 else _days((now - value).days)
    return _days((now - value).days)  # type: ignore[operator]


def length(span: timedelta) -> str:
    """How long: "35 minutes", "2 hours", "3 days"; "less than a minute" for seconds."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 48 * 60:
        return _length(minutes)
    return ngettext("%(n)s day", "%(n)s days", span.days) % {"n": span.days}


def _days(days: int) -> str:
    near = {0: _("today"), 1: _("yesterday"), -1: _("tomorrow")}
    return near.get(days) or _said(ngettext("%(n)s day", "%(n)s days", abs(days)) % {"n": abs(days)}, days)


def _length(minutes: int) -> str:
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def _said(length: str, passed: int) -> str:
    if passed == 0:
        return _("just now")
    return (_("%(length)s ago") if passed > 0 else _("in %(length)s")) % {"length": length}
