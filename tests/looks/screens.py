"""Every screen of the demo clinic on Saturday 21 November 2026, 21:35, London: who opens which address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from cycles.models import Cycle, Hold, Injection, Medication, PlannedDose, Protocol, SiteReaction
from il2tracker.accounts import password_links
from il2tracker.accounts.models import Patient, Sharing, User
from il2tracker.alerts.models import Alert
from il2tracker.reminders import one_tap, planning, unsubscribing
from labs.models import LabResult
from sideeffects.models import CheckIn
from tests.reminders import outbox

NOW = datetime(2026, 11, 21, 21, 35, tzinfo=UTC)
ANNA, DAN, TOM = "patient@demo.example", "kidney@demo.example", "tom@demo.example"
RUTH, JOAN = "ruth@demo.example", "joan@demo.example"
BEN, CARLA, EVE = "nurse@demo.example", "outsider@demo.example", "admin@demo.example"
NOBODY = ""


@dataclass(frozen=True)
class Screen:
    """An address as one person opens it.

    `sends`: the screen is what comes after sending its first form as it stands. `is_main`: one of a dozen that
    every run walks in all frames; `make looks` walks all.
    """

    name: str
    who: str
    path: str
    status: int = 200
    sends: bool = False
    is_main: bool = False

    @property
    def file_name(self) -> str:
        """For its picture."""
        return f"{self.who.partition('@')[0] or 'nobody'}-{self.name.replace(':', '-')}"


NOT_A_SCREEN = {
    "system:healthz": "answers a machine",
    "today:feed": "a file for calendar programs",
    "today:feed_renew": "leads back to the page, unless its button was pressed",
    "accounts:tell": "takes a POST only",
    "alerts:answer": "takes a POST only",
    "sideeffects:end_expected": "takes a POST only",
    "reminders:preview": "a mail, in a frame of the page about privacy",
    "reminders:test": "takes a POST only",
    "system:seen": "takes a POST only",
    "system:test_mail": "takes a POST only",
    "clinic:visit_pdf": "a file to print",
    "labs:upload_confirm": "takes a POST only",
    "labs:upload_drop": "takes a POST only",
    "labs:restore": "takes a POST only",
    "today:medicine_remove": "takes a POST only",
    "clinic:see": "takes a POST only",
    "clinic:unsee": "takes a POST only",
}
"""Addresses without a page of ours, and why."""


def addresses(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """The full name of every address of the application, without Django's admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from addresses(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield space + pattern.name


def screen(name: str, who: str, *, main: bool = False, sends: bool = False, status: int = 200, **kwargs: Any) -> Screen:
    """A screen by the name of its address."""
    return Screen(name, who, reverse(name, kwargs=kwargs), 422 if sends else status, sends, main)


def send(who: str, name: str, data: dict[str, Any], **kwargs: Any) -> str:
    """Fill in a form as that person, through the page itself; the `ref` of the address that comes next."""
    client = Client()
    client.force_login(User.objects.get(email=who))
    answer = client.post(reverse(name, kwargs=kwargs), data)
    assert answer.status_code == 302, f"{name}: {answer.status_code} {answer.content.decode()[:2000]}"
    return str(resolve(answer["Location"]).kwargs.get("ref", ""))


def all_screens() -> list[Screen]:
    """Every screen of the filled demo. Needs the database, and writes what the screens show: a red flag, a file."""
    parts = (_accounts, _system, _today, _cycles, _before_a_course, _labs, _sideeffects, _clinic, _reminders, _errors)
    return [screen for part in parts for screen in part()]


def _errors() -> list[Screen]:
    return [
        Screen("error-403", ANNA, reverse("cycles:plan_choose"), 403),
        Screen("error-404", ANNA, "/nowhere/", 404),
        Screen("error-404", NOBODY, "/nowhere/", 404),
        Screen("error-404", CARLA, reverse("clinic:patient", kwargs={"code": _code(ANNA)}), 404),
    ]


def _code(email: str) -> str:
    return Patient.objects.get(user__email=email).code


def _accounts() -> list[Screen]:
    shared = Sharing.objects.get(patient__user__email=ANNA, clinic__isnull=False)
    return [
        screen("account_login", NOBODY),
        screen("account_login", NOBODY, sends=True),
        screen("account_logout", ANNA),
        *_passwords(),
        screen("accounts:settings", ANNA),
        screen("accounts:settings", BEN),
        screen("accounts:settings", EVE),
        screen("accounts:start", EVE),
        screen("accounts:start", EVE, sends=True),
        screen("accounts:details", ANNA),
        screen("accounts:details", BEN),
        screen("accounts:display", ANNA),
        screen("exchange:export", ANNA),
        screen("exchange:export", BEN, code=_code(ANNA)),
        screen("exchange:bring_back", ANNA),
        screen("exchange:bring_back", ANNA, sends=True),
        screen("accounts:sharing", ANNA),
        screen("accounts:sharing", ANNA, sends=True),
        screen("accounts:stop_sharing", ANNA, ref=shared.ref),
        screen("accounts:looked", ANNA),
        Screen("accounts:looked", ANNA, "/settings/looked/?before=1"),
    ]


def _passwords() -> list[Screen]:
    """Forgotten and asked for anew; the first screen with a link that still works leads to the page without its key.

    It is that of somebody who opens no screen: a sign-in would end it.
    """
    link = password_links.path_for(User.objects.get(email="doctor@demo.example"))
    return [
        screen("account_reset_password", NOBODY),
        screen("account_reset_password", NOBODY, sends=True),
        screen("account_reset_password_done", NOBODY),
        Screen("account_reset_password_from_key", NOBODY, link),
        Screen("account_reset_password_from_key", NOBODY, link, 422, sends=True),
        screen("account_reset_password_from_key", NOBODY, status=410, uidb36="old", key="1"),
        screen("account_reset_password_from_key_done", NOBODY),
        screen("account_change_password", ANNA),
        screen("account_change_password", BEN, sends=True),
    ]


def _system() -> list[Screen]:
    """A mail lies in the folder of the mail catcher, as if it had just been sent."""
    folder = settings.VAR / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    name = "20261121T213000000000"
    head = "Subject: Diary reminder, 10pm\nFrom: Diary <diary@localhost>\nTo: patient@demo.example\n"
    (folder / f"{name}.eml").write_text(f"{head}\nHello Anna. This is your 10pm reminder.\n", encoding="utf-8")
    return [
        screen("system:page", EVE),
        screen("system:reminders", EVE),
        Screen("system:reminders", EVE, "/system/reminders/?on=2026-11-25"),
        Screen("system:reminders", EVE, "/system/reminders/?on=soon", 422),
        screen("system:mail", EVE),
        Screen("system:one_mail", EVE, reverse("system:one_mail", kwargs={"name": name})),
    ]


def _today() -> list[Screen]:
    return [
        screen("today:home", ANNA, main=True),
        screen("today:home", DAN),
        screen("today:course", ANNA, main=True),
        screen("today:course", DAN),
        screen("today:course", BEN, code=_code(ANNA)),
        screen("today:calendar", ANNA, main=True),
        Screen("today:calendar", ANNA, "/calendar/?month=2027-01"),
        screen("today:calendar", DAN),
        screen("today:calendar", BEN, code=_code(ANNA)),
        screen("today:feed_settings", DAN),
        screen("today:feed_stop", ANNA),
        screen("today:time_zone", ANNA),
        screen("today:time_zone", ANNA, sends=True),
        screen("today:medicines", ANNA),
        screen("today:medicines", BEN, code=_code(ANNA)),
        screen("today:medicine_add", ANNA),
        screen("today:medicine_add", ANNA, sends=True),
        screen("today:medicine", ANNA, ref=Medication.objects.filter(patient__user__email=ANNA)[0].ref),
        screen("today:blood_test", ANNA),
        screen("today:blood_test", BEN, code=_code(ANNA)),
    ]


def _cycles() -> list[Screen]:
    dose = PlannedDose.objects.filter(patient__user__email=ANNA, due_at__gt=NOW).order_by("due_at")[0]
    given = Injection.objects.filter(patient__user__email=ANNA).order_by("-given_at")[0]
    coming = Cycle.objects.filter(patient__user__email=ANNA).order_by("-number")[0]
    slug = Protocol.objects.filter(indication="hiv", route="sc").order_by("slug")[0].slug
    return [
        screen("cycles:record", ANNA),
        screen("cycles:record_unplanned", ANNA),
        screen("cycles:record_unplanned", ANNA, sends=True),
        screen("cycles:log", ANNA, main=True, ref=dose.ref),
        screen("cycles:skip", ANNA, ref=dose.ref),
        screen("cycles:skip", ANNA, sends=True, ref=dose.ref),
        screen("cycles:entry", ANNA, ref=given.ref),
        screen("cycles:correct", ANNA, ref=given.ref),
        screen("cycles:undo", ANNA, ref=given.ref),
        screen("cycles:call", ANNA, ref=given.ref),
        *_places(given),
        screen("cycles:plan", ANNA),
        screen("cycles:plan", DAN),
        screen("cycles:plan", BEN, code=_code(ANNA)),
        screen("cycles:course_change", BEN, ref=coming.ref),
        screen("cycles:course_change", BEN, sends=True, ref=coming.ref),
        screen("cycles:course_stop", BEN, ref=given.planned_dose.cycle.ref),
        screen("cycles:plan_end", BEN, ref=coming.plan.ref),
        screen("cycles:plan_change", BEN, code=_code(ANNA)),
        screen("cycles:plan_change", BEN, sends=True, code=_code(ANNA)),
        screen("cycles:plan_update", DAN),
        screen("cycles:plan_update", BEN, code=_code(DAN)),
        screen("cycles:plan_earlier", BEN, code=_code(ANNA)),
        screen("cycles:plan_earlier", BEN, sends=True, code=_code(ANNA)),
        screen("cycles:plan_choose", BEN, code=_code(ANNA)),
        screen("cycles:plan_new", BEN, code=_code(ANNA), slug=slug),
        screen("cycles:plan_new", BEN, sends=True, code=_code(ANNA), slug=slug),
        screen("cycles:plan_new", BEN, code=_code(ANNA), slug="own-schedule"),
        screen("cycles:plan_new", BEN, code=_code(ANNA), slug="hiv-sc-surface"),
    ]


def _places(given: Injection) -> list[Screen]:
    """A lump that has rested for weeks, and a red place that has cleared."""
    lump, red = (SiteReaction.objects.get(patient=given.patient, kind=kind) for kind in ("lump", "red"))
    return [
        screen("cycles:places", ANNA),
        screen("cycles:places", BEN, code=_code(ANNA)),
        screen("cycles:place_report", ANNA),
        screen("cycles:place_report", ANNA, sends=True),
        screen("cycles:place", ANNA, ref=lump.ref),
        screen("cycles:place", BEN, ref=red.ref),
        screen("cycles:place_clear", ANNA, ref=lump.ref),
    ]


def _before_a_course() -> list[Screen]:
    """Tom has answered what is asked before a course; Ruth has reported an infection, and her course waits."""
    hold = Hold.objects.open().get(patient__user__email=RUTH)
    tom, ruth = {"code": _code(TOM)}, {"code": _code(RUTH)}
    return [
        screen("today:home", TOM),
        screen("today:ready", TOM),
        screen("today:ready", BEN, **tom),
        screen("today:ready", ANNA),
        screen("cycles:question", TOM, question=10),
        screen("cycles:prepare", TOM),
        screen("today:home", RUTH),
        screen("cycles:plan", RUTH),
        screen("cycles:changed", RUTH),
        screen("cycles:changed", ANNA, sends=True),
        screen("cycles:changed", BEN, code=_code(ANNA)),
        screen("cycles:changed", BEN, sends=True, code=_code(ANNA)),
        screen("cycles:waits", RUTH),
        screen("cycles:waits", BEN, **ruth),
        screen("cycles:hold_lift", BEN, ref=hold.ref),
        screen("cycles:hold_lift", BEN, sends=True, ref=hold.ref),
    ]


def _added_file(table: bytes) -> str:
    """A file of Anna's that her nurse has added: its ref."""
    added = send(BEN, "labs:import", {"file": SimpleUploadedFile("november.csv", table)}, code=_code(ANNA))
    send(BEN, "labs:upload_confirm", {}, ref=added)
    return added


def _labs() -> list[Screen]:
    result = LabResult.objects.filter(patient__user__email=ANNA).order_by("-drawn_on")[0]
    table = b"date,CD4+,viral load\n2026-11-02,612,<20\n2026-11-18,lots,40\n"
    upload = send(BEN, "labs:import", {"file": SimpleUploadedFile("results.csv", table)}, code=_code(ANNA))
    code = {"code": _code(ANNA)}
    added = _added_file(table + b"2026-11-04,655,\n")
    return [
        screen("labs:list", ANNA),
        screen("labs:list", DAN),
        screen("labs:list", BEN, **code),
        screen("labs:trend", ANNA, main=True),
        screen("labs:trend", BEN, **code),
        screen("labs:trend", DAN),
        screen("labs:safety", ANNA, main=True),
        screen("labs:safety", BEN, **code),
        screen("labs:safety", DAN),
        screen("labs:add", ANNA, main=True),
        screen("labs:add", ANNA, sends=True),
        screen("labs:import", ANNA),
        screen("labs:import", ANNA, sends=True),
        screen("labs:import_many", BEN),
        screen("labs:upload", BEN, ref=upload),
        screen("labs:import", BEN, **code),
        screen("labs:batch", BEN, ref=added),
        screen("labs:batch_undo", BEN, ref=added),
        screen("labs:entry", ANNA, ref=result.ref),
        screen("labs:correct", BEN, ref=result.ref),
        screen("labs:remove", BEN, ref=result.ref),
    ]


def _sideeffects() -> list[Screen]:
    """Dan has ticked a red flag and left the rest of the page unfinished."""
    answers = {"key": uuid4(), "flags": ["urine_less"], "temperature": "38,9", "unit": "C", "medicine": "no"}
    urgent = send(DAN, "sideeffects:check_in", {**answers, "symptoms": ["nausea"]})
    felt = CheckIn.objects.filter(patient__user__email=ANNA).order_by("-felt_at")[0]
    return [
        screen("sideeffects:check_in", ANNA, main=True),
        screen("sideeffects:check_in", ANNA, sends=True),
        Screen("sideeffects:check_in", ANNA, f"{reverse('sideeffects:check_in')}?same={felt.ref}"),
        screen("sideeffects:change", ANNA, ref=felt.ref),
        screen("sideeffects:earlier", ANNA),
        screen("sideeffects:entry", ANNA, ref=felt.ref),
        screen("sideeffects:patterns", ANNA),
        screen("sideeffects:patterns", DAN),
        screen("sideeffects:patterns", BEN, code=_code(ANNA)),
        screen("sideeffects:urgent", DAN, main=True, ref=urgent),
        screen("sideeffects:finish", DAN, ref=urgent),
        screen("sideeffects:effects", ANNA),
        screen("sideeffects:effects", DAN),
        screen("sideeffects:effects", BEN, code=_code(ANNA)),
        screen("sideeffects:expected", BEN, code=_code(ANNA)),
        screen("sideeffects:expected", BEN, sends=True, code=_code(ANNA)),
        screen("sideeffects:report", ANNA, ref=felt.ref),
        screen("sideeffects:report", BEN, ref=urgent),
    ]


def _clinic() -> list[Screen]:
    suggested = {"code": _code(TOM), "rule": "INT-1"}
    alert = Alert.objects.open().filter(patient__user__email=DAN)[0]
    return [
        screen("alerts:acknowledge", BEN, ref=alert.ref),
        screen("clinic:alert", BEN, ref=alert.ref),
        screen("clinic:answer_times", BEN),
        screen("clinic:panel", BEN, main=True),
        screen("clinic:panel", CARLA),
        screen("clinic:patient", BEN, code=_code(ANNA)),
        screen("clinic:patient", BEN, main=True, code=_code(DAN)),
        screen("clinic:patient", BEN, code=suggested["code"]),
        screen("clinic:advice", BEN),
        screen("clinic:advice", CARLA),
        screen("clinic:advise", BEN, **suggested),
        screen("clinic:advise", BEN, sends=True, **suggested),
        screen("clinic:advise", BEN, code=suggested["code"], rule="DOSE-1"),
        screen("clinic:advise", BEN, code=_code(JOAN), rule="DOSE-1"),
        screen("clinic:visit", ANNA),
        screen("clinic:visit", DAN),
        screen("clinic:visit", BEN, code=_code(ANNA)),
        Screen("clinic:visit", ANNA, reverse("clinic:visit") + "?tables=1"),
        screen("clinic:add_patient", BEN),
        screen("clinic:add_patient", BEN, sends=True),
    ]


def _reminders() -> list[Screen]:
    planning.plan(NOW)
    address = unsubscribing.link(User.objects.get(email=ANNA), "injection_due")
    dose = PlannedDose.objects.filter(patient__user__email=ANNA, due_at__gt=NOW).order_by("due_at")[0]
    taps = one_tap.links(outbox.of_dose(dose), NOW)
    return [
        Screen("reminders:one_tap", NOBODY, urlsplit(taps["done_url"]).path, is_main=True),
        Screen("reminders:one_tap", NOBODY, urlsplit(taps["later_url"]).path),
        Screen("reminders:one_tap", NOBODY, reverse("reminders:one_tap", args=["A" * 22]), 410),
        screen("reminders:later", ANNA, ref=dose.ref),
        screen("reminders:later", ANNA, sends=True, ref=dose.ref),
        screen("reminders:privacy", ANNA),
        Screen("reminders:privacy", ANNA, reverse("reminders:privacy") + "?kind=booking&privacy=full"),
        screen("reminders:due", ANNA),
        screen("reminders:due", BEN),
        screen("reminders:preferences", ANNA),
        screen("reminders:preferences", BEN),
        Screen("reminders:unsubscribe", NOBODY, urlsplit(address).path),
    ]
