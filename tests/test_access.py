"""Every URL, for everybody, by every method: the table below says what is answered. A URL without a row fails.

Anna is the patient whom the rows are about; Dan is another patient, Ben is a nurse of their clinic, Carla works in
another clinic, Eve runs the installation, Sam is Anna's carer.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from cycles.medication_actions import add_medication
from cycles.site_actions import report_reaction
from il2tracker.accounts import looked
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import one_tap, unsubscribing
from il2tracker.reminders.kinds import INJECTION_DUE
from il2tracker.today import feed_actions
from labs import actions as labs
from labs import import_actions
from labs.models import Analyte
from labs.written import parse
from sideeffects import actions as sideeffects
from sideeffects.expectation_actions import expect
from sideeffects.models import Expectation, Symptom
from tests import factories
from tests.reminders import outbox

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ROLES = ("nobody", "anna", "dan", "ben", "carla", "eve", "sam")
READS = "302 405 405 405 405 405 405"
# Columns: GET and HEAD, then POST without any field ("-" = READS), for each of ROLES.
TABLE = """
(home)                           | 302 200 200 302 302 302 302 | -
alerts/<ref>/                    | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
alerts/<ref>/acknowledge/        | 302 403 404 200 404 404 403 | 302 403 404 302 404 404 403
alerts/<ref>/answer/             | 302 405 405 405 405 405 405 | 302 422 404 403 404 404 422
c/<token>.ics                    | 200 200 200 200 200 200 200 | -
calendar/                        | 302 200 200 404 404 404 404 | -
before/                          | 302 200 200 404 404 404 404 | 302 422 200 404 404 404 404
before/<question>/               | 302 302 302 404 404 404 404 | 302 302 302 404 404 404 404
changed/                         | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
check-in/                        | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
check-in/<ref>/                  | 302 200 404 200 404 404 200 | -
check-in/<ref>/report/           | 302 200 404 200 404 404 403 | -
check-in/effects/                | 302 200 200 404 404 404 404 | -
check-in/<ref>/change/           | 302 200 404 403 404 404 403 | 302 422 404 403 404 404 403
check-in/<ref>/finish/           | 302 302 404 403 404 404 302 | 302 422 404 403 404 404 422
check-in/<ref>/now/              | 302 200 404 200 404 404 200 | -
check-in/earlier/                | 302 200 200 404 404 404 404 | -
check-in/patterns/               | 302 200 200 404 404 404 404 | -
check-in/return/                 | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
course/                          | 302 200 200 404 404 404 404 | -
appointment/                     | 302 200 404 404 404 404 404 | 302 302 404 404 404 404 404
diary/add/                       | 302 200 200 404 404 404 404 | -
diary/add/<ref>/                 | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
diary/add/<ref>/not-taken/       | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
diary/add/other/                 | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
diary/entry/<ref>/               | 302 200 404 200 404 404 200 | -
diary/entry/<ref>/call/          | 302 200 404 403 404 404 200 | -
diary/entry/<ref>/change/        | 302 200 404 403 404 404 403 | 302 422 404 403 404 404 403
diary/entry/<ref>/undo/          | 302 200 404 403 404 404 403 | 302 302 404 403 404 404 403
healthz                          | 503 503 503 503 503 503 503 | -
medicines/                       | 302 200 200 404 404 404 404 | -
medicines/<ref>/                 | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
medicines/<ref>/remove/          | 302 405 405 405 405 405 405 | 302 302 404 302 404 404 302
medicines/add/                   | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
n/<token>                        | 200 200 200 200 200 200 200 | 409 409 409 409 409 409 409
people/                          | 302 404 404 200 200 404 404 | 302 404 404 200 200 404 404
people/<code>/                   | 302 404 404 200 404 404 404 | -
people/<code>/advice/<rule>/     | 302 404 404 200 404 404 404 | 302 404 404 422 404 404 404
people/<code>/export/            | 302 200 404 200 404 404 403 | 302 422 404 422 404 404 403
people/<code>/calendar/          | 302 200 404 200 404 404 200 | -
people/<code>/before/            | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
people/<code>/before/<question>/ | 302 302 404 403 404 404 302 | 302 302 404 403 404 404 302
people/<code>/changed/           | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
people/<code>/prepare/           | 302 200 404 403 404 404 200 | 302 302 404 403 404 404 302
people/<code>/visit.pdf          | 302 200 404 200 404 404 403 | -
people/<code>/visit/             | 302 200 404 200 404 404 200 | -
people/<code>/waits/             | 302 200 404 200 404 404 200 | -
people/<code>/check-in/          | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
people/<code>/check-in/effects/  | 302 200 404 200 404 404 200 | -
people/<code>/expected/          | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
expected/<ref>/end/              | 302 405 405 405 405 405 405 | 302 403 404 302 404 404 403
people/<code>/check-in/earlier/  | 302 200 404 200 404 404 200 | -
people/<code>/check-in/return/   | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
people/<code>/effects/           | 302 200 404 200 404 404 200 | -
people/<code>/course/            | 302 200 404 200 404 404 200 | -
people/<code>/appointment/       | 302 200 404 200 404 404 200 | 302 302 404 302 404 404 302
people/<code>/medicines/         | 302 200 404 200 404 404 200 | -
people/<code>/medicines/add/     | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
people/<code>/places/            | 302 200 404 200 404 404 200 | -
people/<code>/places/add/        | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
people/<code>/plan/              | 302 200 404 200 404 404 200 | -
people/<code>/plan/change/       | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
people/<code>/plan/earlier/      | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
people/<code>/plan/update/       | 302 200 404 200 404 404 200 | 302 422 404 403 404 404 422
people/<code>/plan/new/          | 302 403 404 200 404 404 403 | -
people/<code>/plan/new/<slug>/   | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
people/<code>/results/           | 302 200 404 200 404 404 200 | -
people/<code>/results/add/       | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
people/<code>/results/import/    | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
people/<code>/results/safety/    | 302 200 404 200 404 404 200 | -
people/<code>/results/seen/      | 302 405 405 405 405 405 405 | 302 403 404 302 404 404 403
people/<code>/results/seen/<ref>/undo/ | 302 405 405 405 405 405 405 | 302 403 404 302 404 404 403
people/<code>/results/trend/     | 302 200 404 200 404 404 200 | -
people/advice/                   | 302 404 404 200 200 404 404 | -
people/answer-times/             | 302 404 404 200 200 404 404 | -
people/add/                      | 302 404 404 200 200 404 404 | 302 404 404 422 422 404 404
people/import/                   | 302 404 404 200 200 404 404 | 302 404 404 422 422 404 404
places/                          | 302 200 200 404 404 404 404 | -
places/<ref>/                    | 302 200 404 200 404 404 200 | 302 302 404 403 404 404 302
places/<ref>/clear/              | 302 200 404 403 404 404 200 | 302 302 404 403 404 404 302
places/add/                      | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
plan/                            | 302 200 200 404 404 404 404 | -
plan/<ref>/end/                  | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
plan/change/                     | 302 403 403 404 404 404 404 | 302 403 403 404 404 404 404
plan/earlier/                    | 302 403 403 404 404 404 404 | 302 403 403 404 404 404 404
plan/update/                     | 302 200 404 404 404 404 404 | 302 422 404 404 404 404 404
plan/course/<ref>/change/        | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
plan/course/<ref>/stop/          | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
plan/hold/<ref>/lift/            | 302 403 404 200 404 404 403 | 302 403 404 422 404 404 403
prepare/                         | 302 200 302 404 404 404 404 | 302 302 302 404 404 404 404
visit.pdf                        | 302 200 200 404 404 404 404 | -
visit/                           | 302 200 200 404 404 404 404 | -
waits/                           | 302 200 200 404 404 404 404 | -
plan/new/                        | 302 403 403 404 404 404 404 | -
plan/new/<slug>/                 | 302 403 403 404 404 404 404 | 302 403 403 404 404 404 404
reminders/                       | 302 200 200 200 200 200 200 | -
reminders/<ref>/later/           | 302 200 404 403 404 404 200 | 302 422 404 403 404 404 422
reminders/test/                  | 302 405 405 405 405 405 405 | 302 302 302 302 302 302 302
results/                         | 302 200 200 404 404 404 404 | -
results/add/                     | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
results/entry/<ref>/             | 302 200 404 200 404 404 200 | -
results/entry/<ref>/change/      | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
results/entry/<ref>/remove/      | 302 200 404 200 404 404 200 | 302 422 404 422 404 404 422
results/entry/<ref>/restore/     | 302 405 405 405 405 405 405 | 302 302 404 302 404 404 302
results/import/                  | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
results/import/<ref>/            | 302 200 404 404 404 404 404 | 302 302 404 404 404 404 404
results/import/<ref>/added/      | 302 200 404 404 404 404 404 | -
results/import/<ref>/add/        | 302 405 405 405 405 405 405 | 302 302 404 404 404 404 404
results/import/<ref>/drop/       | 302 405 405 405 405 405 405 | 302 302 404 404 404 404 404
results/import/<ref>/undo/       | 302 200 404 404 404 404 404 | 302 302 404 404 404 404 404
results/safety/                  | 302 200 200 404 404 404 404 | -
results/trend/                   | 302 200 200 404 404 404 404 | -
settings/                        | 302 200 200 200 200 200 200 | -
settings/calendar/               | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
settings/calendar/renew/         | 302 302 302 404 404 404 404 | 302 302 302 404 404 404 404
settings/calendar/stop/          | 302 200 200 404 404 404 404 | 302 302 302 404 404 404 404
settings/details/                | 302 200 200 200 200 200 200 | 302 422 422 422 422 422 422
settings/export/                 | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
settings/display/                | 302 200 200 200 200 200 200 | 302 422 422 422 422 422 422
settings/looked/                 | 302 200 200 404 404 404 404 | -
settings/privacy/                | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
settings/privacy/mail/<kind>/<level>/ | 302 200 200 404 404 404 404 | -
settings/reminders/              | 302 200 200 200 200 404 200 | 302 422 422 422 422 404 422
settings/sharing/                | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
settings/sharing/<ref>/stop/     | 302 200 404 404 404 404 404 | 302 302 404 404 404 404 404
settings/sharing/<ref>/told/     | 302 405 405 405 405 405 405 | 302 302 404 404 404 404 404
settings/start/                  | 302 302 302 302 302 200 200 | 302 302 302 302 302 422 422
settings/time-zone/              | 302 200 200 404 404 404 404 | 302 422 422 404 404 404 404
settings/password/               | 302 200 200 200 200 200 200 | 302 422 422 422 422 422 422
sign-in/                         | 200 302 302 302 302 302 302 | 422 302 302 302 302 302 302
sign-in/forgot/                  | 200 200 200 200 200 200 200 | 422 422 422 422 422 422 422
sign-in/forgot/<uidb36>-<key>/   | 410 410 410 410 410 410 410 | 410 410 410 410 410 410 410
sign-in/forgot/done/             | 200 200 200 200 200 200 200 | -
sign-in/forgot/sent/             | 200 200 200 200 200 200 200 | -
sign-out/                        | 302 200 200 200 200 200 200 | 302 302 302 302 302 302 302
system/                          | 302 404 404 404 404 200 404 | -
system/seen/                     | 302 405 405 405 405 405 405 | 302 404 404 404 404 302 404
system/reminders/                | 302 404 404 404 404 200 404 | -
system/reminders/test/           | 302 405 405 405 405 405 405 | 302 404 404 404 404 302 404
system/mail/                     | 302 404 404 404 404 404 404 | -
system/mail/<name>/              | 302 404 404 404 404 404 404 | -
u/<token>                        | 200 200 200 200 200 200 200 | 200 200 200 200 200 200 200
"""
HOME, ADMIN = "(home)", "system/admin/"
MAIL = "settings/privacy/mail/<kind>/<level>/"
# A mail program posts there without a page of ours before it (RFC 8058).
EXEMPT_FROM_CSRF = {"u/<token>"}


def rows() -> dict[str, tuple[list[int], list[int]]]:
    """Route → statuses of GET, statuses of POST."""
    found = {}
    for line in TABLE.strip().splitlines():
        route, get, post = (part.strip() for part in line.split("|"))
        found["" if route == HOME else route] = (_statuses(get), _statuses(READS if post == "-" else post))
    return found


def _statuses(text: str) -> list[int]:
    statuses = [int(word) for word in text.split()]
    assert len(statuses) == len(ROLES), text
    return statuses


@cache
def routes() -> list[str]:
    """Every route of the application, "people/<code>/results/"."""
    return sorted({re.sub(r"<\w+:(\w+)>", r"<\1>", route) for route in _walk(get_resolver(), "")})


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from _walk(pattern, route)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """Anna in the middle of a course, with something of everything; made once, since no request here leaves a trace."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _world()
        transaction.set_rollback(True)


def _expected(cast: factories.Cast, now: datetime) -> Expectation:
    dizzy = Symptom.objects.get(code="dizzy")
    until = cast.anna_patient.today(now)
    return expect(by=cast.ben, patient=cast.anna_patient, symptom=dizzy, worst=1, until=until, now=now)


def _world() -> SimpleNamespace:
    cast = factories.cast()
    anna, now = cast.anna_patient, timezone.now()
    plan = factories.plan(anna, cast.ben, starts_on=anna.today(now) - timedelta(days=3))
    doses = list(plan.cycles.get(number=1).doses.all())
    injection = factories.injection(anna, cast.anna, doses[0]).injection
    reaction = report_reaction(by=cast.anna, patient=anna, site="tfr", kind="lump", noticed_on=anna.today(now), now=now)
    check_in = sideeffects.record_check_in(
        by=cast.anna, patient=anna, key=uuid4(), answers=sideeffects.Answers(flags=frozenset({"fainted"})), now=now
    ).check_in
    cd4 = Analyte.objects.get(code="cd4")
    (result,) = labs.add_results(
        by=cast.anna, patient=anna, drawn=labs.Drawn(anna.today(now)), readings={cd4: parse(cd4.rule, "612")}, now=now
    )
    file = b"date,cd4\n2026-01-05,612\n"
    upload = import_actions.keep_upload(by=cast.anna, patient=anna, file_name="cd4.csv", content=file, now=now)
    done = import_actions.keep_upload(by=cast.anna, patient=anna, file_name="b.csv", content=file + b"\n", now=now)
    import_actions.confirm_upload(by=cast.anna, batch=done, patients={"": anna}, now=now)
    refs = {
        "plan/<ref>": plan.ref,
        "plan/hold": factories.hold(cast.ben, plan.cycles.get(number=2), now=now).ref,
        "plan/course/<ref>/change": plan.cycles.get(number=2).ref,
        "plan/course/<ref>/stop": plan.cycles.get(number=1).ref,
        "diary/add": doses[-1].ref,
        "reminders/<ref>/later": doses[-1].ref,
        "diary/entry": injection.ref,
        "places": reaction.ref,
        "medicines": add_medication(by=cast.anna, patient=anna, name="Darunavir", kind="prescribed", now=now).ref,
        "check-in": check_in.ref,
        "alerts": check_in.alerts.get().ref,
        "expected": _expected(cast, now).ref,
        "results/entry": result.ref,
        "people/<code>/results/seen": result.ref,
        "results/import/<ref>/added": done.ref,
        "results/import/<ref>/undo": done.ref,
        "results/import": upload.ref,
        "settings/sharing/<ref>/told": anna.sharings.get(person=cast.sam).ref,
        "settings/sharing": anna.sharings.get(clinic=cast.north).ref,
    }
    clients = {role: Client() for role in ROLES}
    for role in ROLES[1:]:
        clients[role].force_login(getattr(cast, role))
    cookies = {role: clients[role].cookies.output(header="") for role in ROLES}
    token = unsubscribing.link(cast.anna, INJECTION_DUE).rpartition("/")[2]
    tap = one_tap.links(outbox.of_dose(doses[-1]), now)["done_url"].rpartition("/")[2]
    feed = feed_actions.make_link(by=cast.anna, patient=anna, level="plain", now=now)[-47:-4]
    tokens = {"u/": token, "n/": tap, "c/": feed}
    codes = {"question": "5", "code": anna.code, "patient_ref": anna.ref, "slug": "hiv-sc-4-5", "rule": "INT-1"}
    mail = {"kind": "hour", "level": "plain"}
    return SimpleNamespace(**codes, **mail, refs=refs, tokens=tokens, cookies=cookies)


def address(world: SimpleNamespace, route: str) -> str:
    """The route with Anna's rows in it."""
    return "/" + re.sub(r"<(\w+)>", lambda found: _value(world, route, found[1]), route)


def _value(world: SimpleNamespace, route: str, name: str) -> str:
    if name == "ref":
        return next(ref for start, ref in world.refs.items() if route.startswith(start))
    if name == "token":
        return next(token for start, token in world.tokens.items() if route.startswith(start))
    return getattr(world, name, "nothing")


def ask(world: SimpleNamespace, role: str, method: str, path: str, **how: Any) -> Any:
    """The response; whatever the request changed is undone."""
    client = Client(**how)
    client.cookies = SimpleCookie(world.cookies[role])
    with transaction.atomic():
        response = client.generic(method, path, **(EMPTY_FORM if method == "POST" else {}))
        transaction.set_rollback(True)
    return response


EMPTY_FORM = {"content_type": "application/x-www-form-urlencoded", "data": b"sent=1"}


def test_every_url_has_its_row_and_every_row_its_url():
    assert [route for route in routes() if not route.startswith(ADMIN)] == sorted(rows())


@pytest.mark.parametrize("route", [route for route in routes() if not route.startswith(ADMIN)])
def test_everybody_gets_the_answer_of_the_table(world: SimpleNamespace, route: str) -> None:
    on_get, on_post = rows()[route]
    refused = _statuses(READS)
    expected = {"GET": on_get, "HEAD": on_get, "POST": on_post, "PUT": refused, "DELETE": refused}
    path = address(world, route)
    answers = {method: [ask(world, role, method, path) for role in ROLES] for method in expected}
    answered = {method: [answer.status_code for answer in found] for method, found in answers.items()}
    # Whoever is not signed in may hear of the sign-in before hearing that the method is none.
    calm = {method: refused if found == [405] * len(ROLES) else found for method, found in answered.items()}
    assert calm == expected
    for answer in (*answers["GET"], *answers["POST"]):
        if route != MAIL or answer.status_code != 200:
            assert_private(answer)


@pytest.mark.parametrize("role", ["anna", "dan"])
def test_a_mail_that_is_looked_at_is_the_only_page_with_styles_of_its_own_and_can_do_nothing(
    world: SimpleNamespace, role: str
) -> None:
    """B24."""
    answer = ask(world, role, "GET", address(world, MAIL))
    policy = sorted(answer["Content-Security-Policy"].split("; "))
    closed = ["base-uri 'none'", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox"]
    assert policy == [*closed, "style-src 'unsafe-inline'"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in answer["Cache-Control"]


def test_one_page_alone_may_show_a_frame(world: SimpleNamespace) -> None:
    may = [
        route
        for route in rows()
        if "frame-src" in ask(world, "anna", "GET", address(world, route)).get("Content-Security-Policy", "")
    ]
    assert may == ["settings/privacy/"]


def assert_private(answer: Any) -> None:
    """No cache keeps the page and no foreign or inline script runs on it."""
    assert "no-store" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("route", routes())
def test_a_form_without_its_token_is_refused_to_everybody(world: SimpleNamespace, route: str) -> None:
    path = address(world, route)
    people = ("nobody", "anna", "eve")
    answered = {ask(world, role, "POST", path, enforce_csrf_checks=True).status_code for role in people}
    assert (answered == {403}) is (route not in EXEMPT_FROM_CSRF)


@pytest.mark.parametrize("route", [route for route in routes() if route.startswith(ADMIN)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_the_administrator_gets_into_the_admin(world: SimpleNamespace, route: str, method: str) -> None:
    path = address(world, route)
    assert ask(world, "nobody", method, path).status_code == 302
    assert {ask(world, role, method, path).status_code for role in ROLES[1:] if role != "eve"} <= {302, 403}
    answer = ask(world, "eve", method, path)
    assert answer.status_code < 500
    assert_private(answer)


ABOUT_ANNA = [route for route in rows() if re.search("<code>|<ref>", route) or route == "people/"]


@pytest.mark.parametrize("role", ["ben", "sam"])
@pytest.mark.parametrize("route", ABOUT_ANNA)
def test_whoever_opens_a_page_about_anna_is_named_to_her(world: SimpleNamespace, route: str, role: str) -> None:
    path, was_shown = address(world, route), rows()[route][0][ROLES.index(role)] == 200
    events = reads(world, role, path)
    assert len(events) == was_shown, events
    assert all(looked.in_words(action).startswith(("looked at ", "took a copy of ")) for action in events)


@pytest.mark.parametrize("route", ABOUT_ANNA)
def test_annas_own_reading_is_not_written_down(world: SimpleNamespace, route: str) -> None:
    assert reads(world, "anna", address(world, route)) == []


def reads(world: SimpleNamespace, role: str, path: str) -> list[str]:
    """What the log says about Anna's record after the page was asked for."""
    client = Client()
    client.cookies = SimpleCookie(world.cookies[role])
    with transaction.atomic():
        last = AuditEvent.objects.latest("pk").pk
        client.get(path)
        found = AuditEvent.objects.filter(pk__gt=last, patient_ref=world.patient_ref).exclude(actor_ref="")
        actions = list(found.values_list("action", flat=True))
        transaction.set_rollback(True)
    return actions


def test_everybody_who_is_not_signed_in_is_sent_to_the_sign_in(world: SimpleNamespace) -> None:
    for route, (on_get, _on_post) in rows().items():
        if on_get[0] == 302:
            assert ask(world, "nobody", "GET", address(world, route))["Location"].startswith("/sign-in/"), route
