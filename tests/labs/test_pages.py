"""The pages of results: list, trend, adding, one result."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts import actions
from il2tracker.audit.models import AuditEvent
from labs.models import LabResult
from tests import factories
from tests.labs.test_picture import story  # noqa: F401

pytestmark = pytest.mark.django_db


def send(client: Client, path: str = "/results/add/", **fields: str) -> Any:
    return client.post(path, {"drawn_on": "2026-03-01", **fields})


def test_results_typed_as_people_write_them_are_kept(anna: Client, text: Any) -> None:
    answer = send(anna, cd4="0,612", cd4_unit="giga_l", cd4_percent="28", hiv_rna="< 20")
    assert (answer.status_code, answer.url) == (302, "/results/")
    page = text(anna.get("/results/"))
    assert "Kept: CD4+ count 612" in page
    assert "612 (written: 0.612 × 10⁹/L)" in page
    assert "less than 20" in page
    assert {r.raw for r in LabResult.objects.all()} == {"0,612", "28", "< 20"}
    assert ">you<" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cd4": "six hundred"}, "CD4+ count: “six hundred” is not a value we can read."),
        ({"hiv_rna": "0"}, "Viral load: 0 is not what a laboratory reports."),
        ({"cd4": "1,250", "cd4_unit": "giga_l"}, "can be 1250 or 1.25"),
        ({"cd4": "612", "cd4_unit": "nonsense"}, "choose a unit from the list"),
        ({}, "Enter at least one result."),
        ({"cd4": "612", "drawn_on": ""}, "Enter the day on which blood was taken."),
        ({"cd4": "612", "drawn_on": "yesterday"}, "Enter the day as a date"),
        ({"cd4": "612", "drawn_on": "2126-01-01"}, "This day has not come yet."),
        ({"cd4": "612", "drawn_on": "1026-11-04"}, "Check the year: 1026 cannot be right."),
        ({"cd4": "612", "drawn_on": "0001-01-01", "drawn_time": "8am"}, "Check the year: 1 cannot be right."),
        ({"cd4": "612", "drawn_time": "quarter past"}, "Write the time like"),
        ({"cd4": "9" * 150}, "too long"),
        ({"cd4": "<script>alert(1)</script>"}, "is not a value we can read"),
    ],
)
def test_bad_input_is_answered_beside_the_field_with_what_was_typed(
    anna: Client, text: Any, fields: dict[str, str], words: str
) -> None:
    answer = send(anna, **fields)
    page = text(answer)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert words in page
    assert "<title>Error:" in page
    for value in (value for name, value in fields.items() if not name.endswith("_unit")):
        assert value.replace("<", "&lt;").replace(">", "&gt;") in page
    assert not LabResult.objects.exists()


def test_a_time_today_that_has_not_come_is_refused(anna: Client, cast: factories.Cast, text: Any) -> None:
    today = cast.anna_patient.today(timezone.now())
    later = timezone.now().astimezone(cast.anna_patient.zone) + timedelta(minutes=30)
    if later.date() != today:
        pytest.skip("half an hour from now is tomorrow")
    answer = send(anna, drawn_on=today.isoformat(), drawn_time=f"{later:%I:%M%p}".lower(), cd4="612")
    assert answer.status_code == 422
    assert "This time has not come yet." in text(answer)


def test_what_was_understood_stands_under_the_box_while_something_else_is_wrong(anna: Client, text: Any) -> None:
    assert "Understood: 612 cells/mm³" in text(send(anna, cd4="612", hiv_rna="x"))


def test_an_odd_value_is_asked_about_and_kept_only_after_a_yes(anna: Client, text: Any) -> None:
    asked = send(anna, cd4="28")
    assert asked.status_code == 200
    assert "Is 28 the count, or the CD4+ percentage?" in text(asked)
    assert not LabResult.objects.exists()
    back = text(send(anna, cd4="28", back="yes"))
    assert 'value="28"' in back
    assert "Save results" in back
    assert send(anna, cd4="28", sure="yes").status_code == 302
    assert LabResult.objects.get().value == 28


def test_another_value_for_the_same_draw_asks_to_keep_or_replace(anna: Client, text: Any) -> None:
    send(anna, cd4="612")
    asked = text(send(anna, cd4="640", cd4_percent="28"))
    assert "You already have this" in asked
    assert "There: <b>612 cells/mm³</b>, entered by you" in asked
    assert "Now: <b>640 cells/mm³</b>" in asked
    assert "The other result of this draw is added." in asked
    assert LabResult.objects.get().value == 612
    assert send(anna, cd4="640", cd4_percent="28", settle="yes", conflicts="keep").status_code == 302
    assert {row.raw for row in LabResult.objects.all()} == {"612", "28"}


def test_replacing_asks_for_a_reason_and_shows_it_beside_the_old_value(anna: Client, text: Any) -> None:
    send(anna, cd4="612")
    for said in (
        {},
        {"conflicts": "replace"},
        {"conflicts": "nonsense"},
        {"conflicts": "replace", "reason": "x" * 101},
    ):
        answer = send(anna, cd4="640", settle="yes", **said)
        assert (answer.status_code, LabResult.objects.get().value) == (422, 612)
        assert 'name="cd4" value="640"' in text(answer)
    assert send(anna, cd4="640", settle="yes", conflicts="replace", reason="misread the line").status_code == 302
    result = LabResult.objects.get()
    page = text(anna.get(f"/results/entry/{result.ref}/"))
    assert re.search(r"<b>640</b>.*changed at .* by you.*Reason: misread the line.*<b>612</b>.*added at", page)


def test_sending_twice_keeps_one_and_says_so(anna: Client, text: Any) -> None:
    send(anna, cd4="612")
    send(anna, cd4="612", hiv_rna="<20")
    assert LabResult.objects.count() == 2
    page = text(anna.get("/results/"))
    assert "Kept: Viral load less than 20" in page
    assert "You already had: CD4+ count 612" in page


def test_a_draw_soon_after_an_injection_says_at_once_that_it_does_not_count(
    anna: Client, cast: factories.Cast, text: Any
) -> None:
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today - timedelta(days=20))
    send(anna, drawn_on=(today - timedelta(days=2)).isoformat(), cd4="958")
    page = text(anna.get("/results/"))
    assert "It was taken 14 days after course 1; not confirmed" in page
    assert "too soon. It stays in the table and off the line." in page


# Who sees and writes what


def test_a_clinician_and_a_carer_see_and_add_a_stranger_finds_nothing(cast: factories.Cast, ben: Client) -> None:
    code, carer, stranger = cast.anna_patient.code, Client(), Client()
    carer.force_login(cast.sam)
    stranger.force_login(cast.carla)
    for client in (ben, carer):
        assert client.get(f"/people/{code}/results/").status_code == 200
        assert client.get(f"/people/{code}/results/trend/").status_code == 200
        assert client.get(f"/people/{code}/results/add/").status_code == 200
    assert send(ben, f"/people/{code}/results/add/", cd4="612").url == f"/people/{code}/results/"
    ref = LabResult.objects.get().ref
    for path in ("results/", "results/trend/", "results/add/", "results/import/"):
        assert stranger.get(f"/people/{code}/{path}").status_code == 404
    for path in ("", "change/", "remove/"):
        assert stranger.get(f"/results/entry/{ref}/{path}").status_code == 404


def test_a_carer_who_may_only_see_is_not_let_in_to_write(cast: factories.Cast, result: Any) -> None:
    cast.anna_patient.sharings.filter(person=cast.sam).update(may_record=False)
    carer, code, ref = Client(), cast.anna_patient.code, result("612", on="2026-03-01").ref
    carer.force_login(cast.sam)
    assert carer.get(f"/people/{code}/results/").status_code == 200
    for path in (f"/people/{code}/results/add/", f"/people/{code}/results/import/", f"/results/entry/{ref}/change/"):
        assert carer.get(path).status_code == 403


def test_looking_at_somebody_elses_results_is_written_down(cast: factories.Cast, ben: Client, anna: Client) -> None:
    ben.get(f"/people/{cast.anna_patient.code}/results/trend/")
    anna.get("/results/trend/")
    [event] = AuditEvent.objects.filter(action="labs.trend.opened")
    assert (event.actor_ref, event.patient_ref) == (cast.ben.ref, cast.anna_patient.ref)


def test_what_the_patient_entered_is_labelled_for_the_clinic(
    cast: factories.Cast, ben: Client, text: Any, result: Any
) -> None:
    kept = result("612", on="2026-03-01", by=cast.anna)
    assert "the patient" in text(ben.get(f"/people/{cast.anna_patient.code}/results/"))
    assert "not checked by the clinic" in text(ben.get(f"/results/entry/{kept.ref}/"))


# One result


def test_a_correction_shows_the_old_value_and_who_wrote_it(
    cast: factories.Cast, anna: Client, text: Any, result: Any
) -> None:
    kept = result("61", on="2026-03-01")
    path = f"/results/entry/{kept.ref}/"
    assert 'value="61"' in text(anna.get(path + "change/"))
    assert send(anna, path + "change/", cd4="9000", reason="misread").status_code == 422
    answer = send(anna, path + "change/", cd4="612")
    assert answer.status_code == 422
    assert "Say why it is changed." in text(answer)
    assert send(anna, path + "change/", cd4="612", reason="misread").url == path
    page = text(anna.get(path))
    assert "<h1>612 cells/mm³</h1>" in page
    assert re.search(r"<b>612</b>.*changed at .* by you.*Reason: misread.*<b>61</b>.*added at .* by Ben", page)


def test_a_result_with_a_time_can_be_changed_as_it_stands(anna: Client, cast: factories.Cast, result: Any) -> None:
    kept = result("61", on="2026-03-01", at=factories.utc(2026, 3, 1, 8, 15))
    path = f"/results/entry/{kept.ref}/change/"
    shown = re.search(r'name="drawn_time" value="([^"]+)"', anna.get(path).content.decode())[1]
    assert shown == "8:15am"
    assert send(anna, path, cd4="612", drawn_time=shown, reason="misread").status_code == 302
    kept.refresh_from_db()
    assert (kept.value, kept.drawn_at) == (612, factories.utc(2026, 3, 1, 8, 15))


def test_a_correction_that_meets_another_result_is_answered_in_words(anna: Client, text: Any, result: Any) -> None:
    kept = result("61", on="2026-03-01")
    result("612", on="2026-03-02")
    answer = anna.post(f"/results/entry/{kept.ref}/change/", {"drawn_on": "2026-03-02", "cd4": "61", "reason": "x"})
    assert answer.status_code == 422
    assert "You already have a result of this test for this draw." in text(answer)


def test_a_verdict_that_waits_for_an_answer_says_how_to_settle_it(
    cast: factories.Cast, anna: Client, ben: Client, text: Any, result: Any
) -> None:
    actions.update_patient(by=cast.anna, patient=cast.anna_patient, earlier_il2="unknown")
    today = timezone.now().date().isoformat()
    kept, code = result("612", on=today), cast.anna_patient.code
    for path in ("/results/", "/results/trend/", f"/results/entry/{kept.ref}/"):
        page = text(anna.get(path))
        assert "nobody has noted whether there was IL-2 before this diary" in page
        assert '<a href="/settings/details/#before">' in page
        assert "taken too soon after an injection" not in page
    assert "The patient can answer it under My details." in text(ben.get(f"/people/{code}/results/"))
    actions.update_patient(by=cast.anna, patient=cast.anna_patient, earlier_il2="never")
    assert "#before" not in text(anna.get("/results/"))


def test_a_removed_result_leaves_the_lists_and_keeps_its_page(anna: Client, text: Any, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    path = f"/results/entry/{kept.ref}/"
    assert anna.post(path + "remove/").status_code == 422
    assert anna.post(path + "remove/", {"reason": "not mine"}).url == "/results/"
    assert "No results yet" in text(anna.get("/results/"))
    page = text(anna.get(path))
    assert re.search(r"Entered in error: taken out on .* by you: not mine. It counts for nothing.", page)
    assert "It was entered in error" not in page


def test_what_was_entered_in_error_is_found_below_the_list_and_put_back_on_its_page(
    anna: Client, ben: Client, text: Any, result: Any
) -> None:
    kept = result("612", on="2026-03-01")
    path = f"/results/entry/{kept.ref}/"
    anna.post(path + "remove/", {"reason": "not mine"})
    listed = text(anna.get("/results/"))
    assert "1 result was entered in error" in listed
    assert path in listed
    assert "put it back" not in text(ben.get(path))
    assert ben.post(path + "restore/").status_code == 403
    assert "It was right: put it back" in text(anna.get(path))
    assert anna.post(path + "restore/").url == path
    page = text(anna.get(path))
    assert "Put back. It counts as it did before." in page
    assert re.search(r"put back at .* by you.*taken out as entered in error at .* by you.*Reason: not mine", page)
    assert "entered in error" not in text(anna.get("/results/"))


def test_a_result_that_cannot_be_put_back_says_why(anna: Client, text: Any, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    path = f"/results/entry/{kept.ref}/"
    anna.post(path + "remove/", {"reason": "not mine"})
    result("640", on="2026-03-01")
    assert anna.post(path + "restore/").url == path
    assert "You already have a result of this test for this draw." in text(anna.get(path))
    kept.refresh_from_db()
    assert kept.voided_at is not None


# The list and the trend


def test_the_list_goes_on_page_by_page(anna: Client, text: Any, result: Any) -> None:
    for n in range(60):
        result(str(400 + n), on=(date(2025, 1, 1) + timedelta(days=n)).isoformat())
    first = text(anna.get("/results/"))
    older = re.search(r'href="(\?before=[^"]+)"', first)[1]
    second = text(anna.get(f"/results/{older}"))
    assert (first.count('scope="row"'), second.count('scope="row"')) == (50, 10)
    for nonsense in ("nonsense", "2026-13-01", "2026-03-01_x", "2026-03-01_"):
        assert anna.get("/results/", {"before": nonsense}).status_code == 200


def test_no_draw_is_lost_between_two_pages_of_one_day(anna: Client, text: Any, result: Any) -> None:
    """Hourly draws of three days."""
    for day in (1, 2, 3):
        for hour in range(24):
            result(f"{day}{hour + 10}", on=f"2026-03-0{day}", at=factories.utc(2026, 3, day, hour, 15))
    seen, address = [], "/results/"
    while address:
        page = text(anna.get(address))
        seen += re.findall(r'data-label="CD4\+">(\d+)<', page)
        older = re.search(r'href="(\?before=[^"]+)"', page)
        address = "/results/" + older[1] if older else ""
    expected = [f"{day}{number}" for day in (3, 2, 1) for number in range(33, 9, -1)]
    assert seen == expected


def test_the_trend_of_the_story(story: factories.Cast, text: Any) -> None:  # noqa: F811
    anna = Client()
    anna.force_login(story.anna)
    page = text(anna.get("/results/trend/?range=all"))
    assert (
        "Your last reliable CD4+ count is <b>612</b> (Wednesday 4 November 2026). Before course 1 it was 422. "
        "Too early to judge: it can take up to six months at this amount, until" in page
    )
    assert page.count("two large trials finished in 2009 found no fewer infections or deaths") == 1
    assert page.index("two large trials") < page.index("<figure")
    assert page.count('role="img"') == 5
    for ids in re.findall(r'aria-labelledby="([\w-]+-t) ([\w-]+-d)"', page):
        assert all(f'id="{each}"' in page for each in ids)
    assert "Nadir" not in page
    assert "75 million" not in page


def test_the_clinicians_trend_says_the_same_about_somebody_else(story: factories.Cast, text: Any) -> None:  # noqa: F811
    ben = Client()
    ben.force_login(story.ben)
    page = text(ben.get(f"/people/{story.anna_patient.code}/results/trend/"))
    assert "The last reliable CD4+ count is <b>612</b>" in page
    assert "75 million" in page
    assert "Anna, born 1974" in page


def test_an_unknown_range_is_the_first_one(anna: Client, result: Any) -> None:
    result("612", on=timezone.now().date().isoformat())
    assert 'href="?range=1" aria-current="true"' in anna.get("/results/trend/?range=999").content.decode()


def test_pages_without_results_say_what_they_will_show(anna: Client, text: Any) -> None:
    assert "No results yet" in text(anna.get("/results/"))
    assert "No results yet" in text(anna.get("/results/trend/"))


def test_coordinates_never_follow_the_language(story: factories.Cast, settings: Any) -> None:  # noqa: F811
    settings.LANGUAGE_CODE = "de"
    anna = Client()
    anna.force_login(story.anna)
    page = anna.get("/results/trend/", HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert not re.search(r' (?:x|y|cx|cy|width|height)="\d+,\d', page)
