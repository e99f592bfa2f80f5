"""Sore places and lumps rest until somebody says that they have cleared, across courses (P38–P40, K14, D22, X5)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cycles import site_actions
from cycles.models import Injection, SiteReaction
from il2tracker.audit.models import AuditEvent
from sideeffects.actions import Answers, record_check_in
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 21, 58)  # a Saturday in London, day 4 of a course
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def saturday_evening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


def lump(cast, site="tfr", **facts):
    facts = {"kind": "lump", "noticed_on": date(2026, 10, 8), "now": NOW, **facts}
    return site_actions.report_reaction(by=cast.anna, patient=cast.anna_patient, site=site, **facts)


@pytest.fixture
def tonight(cast):
    """Tonight's injection; the places after this morning make the front of the right thigh the next one."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=(NOW - timedelta(days=3)).date())
    doses = list(plan.cycles.get(number=1).doses.all())
    for dose, site in zip(doses[:7], ["aur", "aul", "alr", "all", "tfl", "tor", "tol"], strict=True):
        factories.injection(cast.anna_patient, cast.anna, dose, site=site)
    return doses[7]


def log_page(client, dose):
    return client.get(reverse("cycles:log", args=[dose.ref]))


# The actions


def test_a_lump_is_kept_with_its_size_and_day_and_written_down(cast):
    reaction = lump(cast, size_mm=12, note="hard")
    assert (reaction.word, reaction.size_words, reaction.note) == ("lump", "12 mm across", "hard")
    assert AuditEvent.objects.filter(action="cycles.place.reported", subject_ref=reaction.ref).count() == 1
    assert reaction.history.get().history_user == cast.anna


def test_reporting_the_same_twice_keeps_the_first(cast):
    assert lump(cast, size_mm=12).pk == lump(cast, size_mm=20, noticed_on=TODAY).pk
    assert SiteReaction.objects.get().size_mm == 12


def test_the_database_keeps_one_open_reaction_of_a_kind_for_a_place(cast):
    first = lump(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteReaction.objects.create(
            patient=cast.anna_patient, site=first.site, kind=first.kind, noticed_on=TODAY, recorded_at=NOW
        )


def test_a_change_keeps_what_was_said_before(cast):
    reaction = lump(cast, size_mm=12)
    site_actions.change_reaction(by=cast.sam, reaction=reaction, size_mm=8, note="softer")
    assert list(reaction.history.order_by("history_id").values_list("size_mm", flat=True)) == [12, 8]
    assert reaction.history.latest().history_user == cast.sam


def test_after_it_has_cleared_it_can_come_back_as_a_new_one(cast):
    """P40: lumps may last for months; the record of each stays."""
    first = lump(cast)
    site_actions.clear_reaction(by=cast.anna, reaction=first, on=TODAY, now=NOW)
    site_actions.clear_reaction(by=cast.anna, reaction=first, on=TODAY - timedelta(days=1), now=NOW)
    first.refresh_from_db()
    assert first.cleared_on == TODAY
    assert lump(cast, noticed_on=TODAY).pk != first.pk
    with pytest.raises(ValidationError):
        site_actions.change_reaction(by=cast.anna, reaction=first, size_mm=None, note="")


@pytest.mark.parametrize(
    "facts",
    [{"noticed_on": date(2026, 11, 22)}, {"size_mm": 201}, {"kind": "rash"}, {"site": "navel"}, {"note": "x" * 201}],
)
def test_what_cannot_be_is_refused(cast, facts):
    with pytest.raises(ValidationError):
        lump(cast, **facts)
    assert not SiteReaction.objects.exists()


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2026, 10, 7)])
def test_it_is_gone_neither_tomorrow_nor_before_it_was_noticed(cast, day):
    with pytest.raises(ValidationError):
        site_actions.clear_reaction(by=cast.anna, reaction=lump(cast), on=day, now=NOW)


@pytest.mark.parametrize("who", ["ben", "carla", "dan", "eve"])
def test_only_who_writes_the_diary_writes_about_places(cast, who):
    reaction, other = lump(cast), getattr(cast, who)
    with pytest.raises(PermissionDenied):
        site_actions.report_reaction(
            by=other, patient=cast.anna_patient, site="aur", kind="sore", noticed_on=TODAY, now=NOW
        )
    with pytest.raises(PermissionDenied):
        site_actions.clear_reaction(by=other, reaction=reaction, on=TODAY, now=NOW)


# The form of an injection


def test_a_resting_place_says_why_and_is_never_suggested_across_courses(client, cast, tonight):
    """P40, K14: the lump of October rests in November's course."""
    lump(cast)
    client.force_login(cast.anna)
    page = log_page(client, tonight)
    place = next(place for place in page.context["places"].all if place.site.code == "tfr")
    assert (place.state, place.words) == ("sore", "Rests: lump since 8 October 2026")
    assert page.context["places"].suggested == "aur"
    assert page.context["places"].marks["tfr"] == " bm-sore"
    assert "This place rests until it has cleared." in page.content.decode()
    assert "Suggested place: <b>abdomen, upper right</b>" in client.get("/").content.decode()


def test_two_reactions_of_a_place_are_told_together(client, cast, tonight):
    lump(cast)
    lump(cast, kind="sore", noticed_on=date(2026, 11, 19))
    client.force_login(cast.anna)
    words = {place.site.code: place.words for place in log_page(client, tonight).context["places"].all}
    assert words["tfr"] == "Rests: lump, sore since 8 October 2026"


def test_an_injection_at_a_resting_place_is_recorded_all_the_same(client, cast, tonight):
    """D22: a warning, never a wall; what happened can be recorded."""
    lump(cast)
    client.force_login(cast.anna)
    answer = client.post(
        reverse("cycles:log", args=[tonight.ref]),
        {"key": str(uuid4()), "when": "now", "site": "tfr", "given_by": "self"},
    )
    [said] = [str(message) for message in get_messages(answer.wsgi_request)]
    assert "right thigh, front. Rests: lump since 8 October 2026." in said
    assert Injection.objects.get(planned_dose=tonight).site == "tfr"


def test_once_cleared_the_place_is_suggested_again(client, cast, tonight):
    reaction = lump(cast)
    client.force_login(cast.anna)
    answer = client.post(reverse("cycles:place_clear", args=[reaction.ref]), {"cleared_on": ""})
    assert answer.url == reverse("cycles:places")
    assert log_page(client, tonight).context["places"].suggested == "tfr"


def test_the_form_costs_the_same_with_and_without_resting_places(client, cast, tonight):
    client.force_login(cast.anna)
    log_page(client, tonight)
    with CaptureQueriesContext(connection) as without:
        log_page(client, tonight)
    for site in ("aur", "aul", "tfr", "bul"):
        lump(cast, site=site)
    with CaptureQueriesContext(connection) as resting:
        log_page(client, tonight)
    assert len(without) == len(resting) <= 12


# The pages


def test_after_an_injection_one_tap_says_that_its_place_is_sore(client, cast, tonight):
    record = factories.injection(
        cast.anna_patient, cast.anna, tonight, site="tfr", at=NOW - timedelta(minutes=3)
    ).injection
    client.force_login(cast.anna)
    entry = reverse("cycles:entry", args=[record.ref])
    assert "This place is sore" in client.get(entry).content.decode()
    answer = client.post(reverse("cycles:place_report"), {"site": "tfr", "kind": "sore"})
    assert answer.url == reverse("cycles:places")
    reaction = SiteReaction.objects.get()
    assert (reaction.site, reaction.kind, reaction.noticed_on) == ("tfr", "sore", TODAY)
    assert "Rests: sore since 21 November 2026" in client.get(entry).content.decode()


def test_the_page_lists_what_rests_and_what_has_cleared(client, cast, tonight):
    lump(cast, size_mm=12, note="hard")
    gone = lump(cast, site="bul", kind="scab", noticed_on=date(2026, 8, 1))
    site_actions.clear_reaction(by=cast.anna, reaction=gone, on=date(2026, 9, 1), now=NOW)
    client.force_login(cast.anna)
    page = client.get(reverse("cycles:places"))
    text = page.content.decode()
    assert "Right thigh, front: lump" in text
    assert "12 mm across" in text
    assert "1 August 2026 to 1 September 2026" in text
    states = {place.site.code: place.state for place in page.context["places"].all}
    assert (states["tfr"], states["aur"], states["bur"], states["bul"]) == ("sore", "used", "free", "free")


def test_the_page_costs_the_same_however_much_is_on_it(client, cast, tonight, django_assert_num_queries):
    client.force_login(cast.anna)
    client.get(reverse("cycles:places"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("cycles:places"))
    for site in ("aur", "aul", "tfr", "bul"):
        lump(cast, site=site)
    with django_assert_num_queries(len(few)):
        client.get(reverse("cycles:places"))


def test_the_whole_form_takes_size_day_and_note_and_keeps_what_was_typed(client, cast):
    client.force_login(cast.anna)
    sent = {"site": "tfl", "kind": "lump", "noticed_on": "2026-11-20", "size_mm": "12 mm", "note": "under the skin"}
    wrong = client.post(reverse("cycles:place_report"), {**sent, "size_mm": "twelve"})
    assert wrong.status_code == 422
    assert "under the skin" in wrong.content.decode()
    assert not SiteReaction.objects.exists()
    client.post(reverse("cycles:place_report"), sent)
    reaction = SiteReaction.objects.get()
    assert (reaction.size_mm, reaction.noticed_on, reaction.note) == (12, date(2026, 11, 20), "under the skin")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"size_mm": "0"}, "size_mm", "Write the width in millimetres"),
        ({"size_mm": "201"}, "size_mm", "Write the width in millimetres"),
        ({"size_mm": "٣"}, "size_mm", "Write the width in millimetres"),
        ({"size_mm": "1.2"}, "size_mm", "Write the width in millimetres"),
        ({"noticed_on": "2026-11-22"}, "noticed_on", "This day has not come yet."),
        ({"noticed_on": "soon"}, "noticed_on", "Enter the day as a date."),
        ({"kind": ""}, "kind", "Choose what is there."),
        ({"site": ""}, "site", "Choose the place."),
        ({"site": "navel"}, "site", "Choose a place from the list."),
    ],
)
def test_bad_input_is_answered_beside_the_field(client, cast, changes, field, words):
    client.force_login(cast.anna)
    answer = client.post(reverse("cycles:place_report"), {"site": "tfl", "kind": "lump", **changes})
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])


def test_a_reaction_is_changed_and_its_story_told(client, cast):
    reaction = lump(cast, size_mm=12)
    client.force_login(cast.anna)
    page = reverse("cycles:place", args=[reaction.ref])
    client.post(page, {"size_mm": "8", "note": "softer"})
    text = client.get(page).content.decode()
    assert "12 mm across" in text
    assert "8 mm across" in text
    assert "softer" in text


def test_gone_since_a_day_before_it_was_noticed_is_refused_in_words(client, cast):
    reaction = lump(cast)
    client.force_login(cast.anna)
    answer = client.post(reverse("cycles:place_clear", args=[reaction.ref]), {"cleared_on": "2026-10-07"})
    assert answer.status_code == 422
    assert "It was noticed on Thursday 8 October 2026" in answer.content.decode()


def test_what_has_cleared_cannot_be_changed_or_cleared_again(client, cast):
    reaction = lump(cast)
    site_actions.clear_reaction(by=cast.anna, reaction=reaction, on=TODAY, now=NOW)
    client.force_login(cast.anna)
    for name in ("place", "place_clear"):
        answer = client.post(reverse(f"cycles:{name}", args=[reaction.ref]), {"size_mm": "99"})
        assert answer.url == reverse("cycles:place", args=[reaction.ref])
    reaction.refresh_from_db()
    assert (reaction.size_mm, reaction.cleared_on) == (None, TODAY)


def test_the_clinic_reads_and_the_carer_writes(client, cast):
    lump(cast)
    code = cast.anna_patient.code
    client.force_login(cast.ben)
    text = client.get(reverse("cycles:places", args=[code])).content.decode()
    assert "Right thigh, front: lump" in text
    assert "It has cleared" not in text
    assert AuditEvent.objects.filter(action="cycles.places.opened", actor_ref=cast.ben.ref).count() == 1
    client.force_login(cast.sam)
    answer = client.post(reverse("cycles:place_report", args=[code]), {"site": "aur", "kind": "red"})
    assert answer.url == reverse("cycles:places", args=[code])
    assert SiteReaction.objects.get(site="aur").recorded_by == cast.sam
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        "Noted: abdomen, upper right, red or swollen. It rests until you say that it has cleared."
    ]


@pytest.mark.parametrize(("code", "kind"), [("lump", "lump"), ("site_red", "red"), ("scab", "scab")])
def test_a_check_in_with_a_lump_leads_to_its_place(client, cast, code, kind):
    """P38, S16: reported with the other effects, kept with the places."""
    answers = Answers(none_of_flags=True, severities={code: 1, "tired": 1})
    check_in = record_check_in(by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=NOW).check_in
    client.force_login(cast.anna)
    page = client.get(reverse("sideeffects:entry", args=[check_in.ref])).content.decode()
    address = f"{reverse('cycles:place_report')}?kind={kind}"
    assert page.count(address) == 1
    assert client.get(address).context["form"]["kind"].value() == kind
    client.force_login(cast.ben)
    assert address not in client.get(reverse("sideeffects:entry", args=[check_in.ref])).content.decode()
