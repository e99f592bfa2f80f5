"""What the trend says of real rows: never more than they hold, and as much in its table as in its drawings."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from cycles.actions import correct_injection
from cycles.models import Injection, PlannedDose, PlanVersion
from il2tracker.accounts.models import Patient
from labs import facts, trends
from labs.models import LabResult
from labs.picture import picture
from labs.trends import Reason, Verdict
from tests import factories
from tests.labs.test_picture import NOW, given, story

pytestmark = pytest.mark.django_db
__all__ = ["story"]  # a fixture


def on_plan(cast: factories.Cast, starts_on: date) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=starts_on, now=NOW, cd4_goal=600)
    given(cast)


def only_course_1(patient: Patient) -> None:
    Injection.objects.filter(patient=patient).exclude(planned_dose__cycle__number=1).delete()
    PlannedDose.objects.filter(patient=patient).exclude(cycle__number=1).delete()


def page_of(cast: factories.Cast, address: str = "/results/trend/?range=all", who: Any = None) -> str:
    client = Client()
    client.force_login(who or cast.anna)
    return " ".join(client.get(address).content.decode().split())


# A rise or a fall


@pytest.mark.parametrize(
    ("now", "words", "arrow"),
    [
        ("548", "about the same as before course 1 (422; the difference is within the usual variation)", False),
        ("549", "127 higher than before course 1 (422)", True),
        ("296", "about the same as before course 1 (422; the difference is within the usual variation)", False),
        ("295", "127 lower than before course 1 (422)", True),
    ],
)
def test_domain_3_5_less_than_30_percent_is_about_the_same_with_both_numbers_and_no_arrow(
    cast: factories.Cast, result: Any, now: str, words: str, arrow: bool
) -> None:
    on_plan(cast, date(2026, 3, 4))
    only_course_1(cast.anna_patient)
    result("422", on="2026-02-25")
    result(now, on="2026-09-20")
    page = page_of(cast)
    assert f"count is <b>{now}</b> (Sunday 20 September 2026), {words}." in page
    assert ('class="pb-arrow"' in page) is arrow
    assert ("higher than" in page or "lower than" in page) is arrow


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("1000", "3100", "about the same as before course 1 (1,000; the difference is within the usual variation)"),
        ("1000", "3200", "higher than before course 1 (1,000)"),
        ("4100", "20", "lower than before course 1 (4,100)"),
        ("4100", "<20", "before course 1: 4,100"),
    ],
)
def test_domain_3_5_a_viral_load_is_compared_from_half_a_log10_step_on_and_a_limit_never(
    cast: factories.Cast, result: Any, before: str, now: str, words: str
) -> None:
    on_plan(cast, date(2026, 3, 4))
    only_course_1(cast.anna_patient)
    result("422", on="2026-02-25")
    result(before, on="2026-02-25", test="hiv_rna")
    result(now, on="2026-09-20", test="hiv_rna")
    assert f"</b> copies per mL, {words}." in page_of(cast)


# Moving a dose


@pytest.mark.parametrize(
    ("starts_on", "drawn_on", "verdict", "later"),
    [
        ("2026-03-04", "2026-04-05", Verdict.UNRELIABLE, Verdict.UNRELIABLE),
        ("2026-03-04", "2026-04-06", Verdict.BORDERLINE, Verdict.UNRELIABLE),
        ("2026-03-04", "2026-04-08", Verdict.RELIABLE, Verdict.BORDERLINE),
        ("2026-03-04", "2026-04-10", Verdict.RELIABLE, Verdict.RELIABLE),
        ("2026-02-04", "2026-03-08", Verdict.UNRELIABLE, Verdict.UNRELIABLE),
        ("2026-02-04", "2026-03-09", Verdict.RELIABLE, Verdict.UNRELIABLE),
        ("2026-02-04", "2026-03-10", Verdict.RELIABLE, Verdict.UNRELIABLE),
        ("2026-02-04", "2026-03-11", Verdict.RELIABLE, Verdict.RELIABLE),
        ("2026-01-25", "2026-02-26", Verdict.UNRELIABLE, Verdict.UNRELIABLE),
        ("2026-01-25", "2026-02-27", Verdict.BORDERLINE, Verdict.UNRELIABLE),
        ("2026-01-25", "2026-02-28", Verdict.RELIABLE, Verdict.UNRELIABLE),
        ("2026-01-25", "2026-03-01", Verdict.RELIABLE, Verdict.RELIABLE),
    ],
)
def test_o2_o5_moving_the_last_dose_by_two_days_flips_a_result_on_the_edge_and_moving_it_back_flips_it_back(
    cast: factories.Cast, result: Any, starts_on: str, drawn_on: str, verdict: Verdict, later: Verdict
) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date.fromisoformat(starts_on), now=NOW)
    for dose in PlannedDose.objects.filter(patient=cast.anna_patient, cycle__number=1):
        factories.injection(cast.anna_patient, cast.anna, dose, now=NOW)
    PlannedDose.objects.filter(patient=cast.anna_patient).exclude(cycle__number=1).delete()
    kept = result("500", on=drawn_on)
    last = Injection.objects.filter(patient=cast.anna_patient).latest("given_at")
    said = []
    for days in (0, 2, -2):
        last.refresh_from_db()
        at = last.given_at + timedelta(days=days)
        correct_injection(by=cast.anna, injection=last, now=NOW, given_at=at)
        [(row, judged)] = facts.load([cast.anna_patient], NOW)[cast.anna_patient.pk].judged()
        assert row.ref == kept.ref
        said.append(judged.verdict)
    assert said == [verdict, later, verdict]


# For clinicians


def test_slopes_doses_and_the_lowest_reliable_count_are_for_clinicians_only(story: factories.Cast) -> None:
    Patient.objects.filter(pk=story.anna_patient.pk).update(nadir_cd4=450)
    seen = page_of(story, f"/people/{story.anna_patient.code}/results/trend/?range=all", story.ben)
    own = page_of(story)
    assert "Lowest reliable CD4+ count of this diary: 388 (Wednesday 14 January 2026). It is below the nadir" in seen
    assert "Least squares through 4 reliable results, Wednesday 14 January 2026 to Wednesday 4 November 2026." in seen
    assert "<td>Wednesday 29 July 2026 – Sunday 2 August 2026</td>" in seen
    assert seen.count('class="c-dose"') == 2 * 2 * 3 + 1
    for words in ("slope", "Least squares", "nadir", "c-dose", "Lowest reliable"):
        assert words not in own


@pytest.mark.parametrize(("lowest", "said"), [("300", "Nadir 300, 2026"), ("220", "Nadir 212, 2011")])
def test_the_nadir_is_the_lower_of_the_one_entered_and_the_lowest_reliable_count_with_its_year(
    story: factories.Cast, result: Any, lowest: str, said: str
) -> None:
    entered = 212 if lowest == "220" else 450
    Patient.objects.filter(pk=story.anna_patient.pk).update(nadir_cd4=entered, nadir_on=date(2011, 5, 1))
    story.anna_patient.refresh_from_db()
    result(lowest, on="2026-01-02")
    result("90", on="2026-08-05")
    levels = picture(story.anna_patient, story.ben, NOW, for_clinic=True).panels[0].wide.levels
    assert said in [level.label.text for level in levels]


def test_where_the_day_of_an_injection_does_not_matter_no_waiting_is_told_of(story: factories.Cast) -> None:
    PlanVersion.objects.filter(plan__patient=story.anna_patient).update(timing_matters=False)
    page = page_of(story)
    assert "On this plan every result counts at once" in page
    for words in ("a test counts again from", "Why some results are too soon", "30 percent", "first falls"):
        assert words not in page
    assert 'href="#too-soon"' not in page


def test_h17_a_low_count_too_soon_after_a_course_is_not_the_lowest(story: factories.Cast, result: Any) -> None:
    result("40", on="2026-08-05")
    clinicians = picture(story.anna_patient, story.ben, NOW, for_clinic=True).clinicians
    assert clinicians is not None
    assert clinicians.lowest.startswith("Lowest reliable CD4+ count of this diary: 388 ")


def test_without_three_reliable_counts_there_is_no_slope_and_the_page_says_why(
    cast: factories.Cast, result: Any
) -> None:
    result("500", on="2026-09-01")
    result("510", on="2026-10-01")
    seen = page_of(cast, f"/people/{cast.anna_patient.code}/results/trend/", cast.ben)
    assert "No CD4+ slope for this time: it needs 3 reliable counts." in seen


# What is shown


def test_p08_a_load_raised_soon_after_a_course_is_said_to_be_perhaps_short(story: factories.Cast) -> None:
    page = page_of(story)
    [row] = [row for row in page.split("<tr ") if "Wednesday 12 August 2026</a>" in row]
    assert "the viral load may be raised for a short time" in row
    assert page.count("the viral load may be raised for a short time") == 1
    assert "A viral load can be raised for a short time after a course." in page


def test_a_number_in_an_unknown_unit_is_not_drawn_and_the_page_says_so(story: factories.Cast) -> None:
    LabResult.objects.filter(drawn_on=date(2026, 11, 4), analyte__code="cd4").update(unit="", unit_text="per field")
    seen = picture(story.anna_patient, story.anna, NOW)
    assert (seen.last, seen.undrawn) == ("508", 1)
    assert len(seen.panels[0].wide.shapes) == 5
    assert "in a unit that this diary does not know" in page_of(story)


@pytest.mark.parametrize(("comparator", "css"), [("<=", "down"), ("<", "down"), (">=", "up"), (">", "up")])
def test_at_most_and_at_least_are_drawn_like_less_and_more(story: factories.Cast, comparator: str, css: str) -> None:
    LabResult.objects.filter(drawn_on=date(2026, 11, 4), analyte__code="hiv_rna").update(comparator=comparator)
    seen = picture(story.anna_patient, story.anna, NOW)
    assert seen.panels[1].wide.shapes[-1].kind == css
    assert seen.has_above is (css == "up")


@pytest.mark.parametrize("draws", [6, 240, 900])
def test_the_table_has_as_many_values_as_the_drawings_have_points_however_long_the_history(
    story: factories.Cast, draws: int
) -> None:
    analyte = LabResult.objects.filter(analyte__code="cd4")[0].analyte
    more = [
        LabResult(
            patient=story.anna_patient, analyte=analyte, value=300 + n % 97, unit="cells_ul", raw="3", source="clinic",
            drawn_on=date(2020, 1, 1) + timedelta(days=2 * n), zone="Europe/London", fingerprint=str(n),
        )
        for n in range(draws - 6)
    ]  # fmt: skip
    LabResult.objects.bulk_create(more)
    page, seen = page_of(story), picture(story.anna_patient, story.anna, NOW, chosen="all")
    for key, panel in zip(("cd4", "hiv_rna"), seen.panels, strict=True):
        cells = re.findall(rf'data-test="{key}"[^>]*>([^<]+)<', page)
        assert len(cells) == len(panel.wide.shapes) == len(panel.narrow.shapes)
        for shape in panel.wide.shapes:
            assert f'id="{shape.key}"' in page
    assert seen.thinned == (0 if draws <= 400 else draws)
    assert len(seen.rows) <= 400
    assert (seen.last, seen.before) == ("612", "422")


@pytest.mark.parametrize("test", ["cd4", "hiv_rna"])
def test_a_preliminary_result_is_hollow_and_in_no_sentence_baseline_goal_or_slope_until_it_is_final(
    story: factories.Cast, test: str
) -> None:
    newest = LabResult.objects.filter(drawn_on=date(2026, 11, 4), analyte__code=test)
    final = picture(story.anna_patient, story.ben, NOW, for_clinic=True)
    newest.update(status=LabResult.Status.PRELIMINARY)
    early = picture(story.anna_patient, story.ben, NOW, for_clinic=True)
    panel = {"cd4": 0, "hiv_rna": 1}[test]
    assert [seen.panels[panel].wide.shapes[-1].hollow for seen in (final, early)] == [False, True]
    known = facts.load([story.anna_patient], NOW, facts.SERIES)[story.anna_patient.pk]
    assert known.series(test)[-1].judgement.reason is Reason.PRELIMINARY
    assert len(trends.between_courses(known.series(test))) == 1
    if test == "cd4":
        assert (final.last, early.last, early.last_on) == ("612", "508", date(2026, 9, 9))
        assert "through 4 reliable" in str(final.clinicians)
        assert "through 3 reliable" in str(early.clinicians)


def test_a_preliminary_result_is_called_that_in_its_row_and_takes_no_verdict_from_what_is_final_beside_it(
    story: factories.Cast,
) -> None:
    newest = LabResult.objects.filter(drawn_on=date(2026, 11, 4))
    newest.filter(analyte__code="hiv_rna").update(status=LabResult.Status.PRELIMINARY)
    [row] = [row for row in page_of(story).split("<tr ") if "Wednesday 4 November 2026</a>" in row]
    assert ">612</td>" in row
    assert ">less than 20, preliminary</td>" in row
    assert "</svg>reliable</span>" in row
    newest.update(status=LabResult.Status.PRELIMINARY)
    [row] = [row for row in page_of(story).split("<tr ") if "Wednesday 4 November 2026</a>" in row]
    assert row.startswith('id="r-')
    assert 'class="is-soon"' in row
    assert "</svg>preliminary</span> <span" in row
    assert "the laboratory has not finished it; it counts when it is final" in row


def test_a_preliminary_baseline_is_none_and_one_too_soon_stays_too_soon(story: factories.Cast) -> None:
    LabResult.objects.filter(drawn_on__in=[date(2026, 1, 14), date(2026, 8, 12)]).update(status="preliminary")
    known = facts.load([story.anna_patient], NOW)[story.anna_patient.pk]
    assert known.baseline == 422
    LabResult.objects.filter(drawn_on=date(2026, 7, 15)).update(status="preliminary")
    known = facts.load([story.anna_patient], NOW)[story.anna_patient.pk]
    assert known.baseline is None
    assert known.series("cd4")[2].judgement.verdict is Verdict.UNRELIABLE


def test_what_a_laboratory_wrote_stands_in_a_row_as_text_and_never_as_markup(story: factories.Cast) -> None:
    newest = LabResult.objects.filter(drawn_on=date(2026, 11, 4), analyte__code="hiv_rna")
    newest.update(text="<b>see</b> & ask", value=None, comparator="=", unit="")
    assert ">&lt;b&gt;see&lt;/b&gt; &amp; ask</td>" in page_of(story)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ("64", "The last reliable viral load is <b>64</b> copies per mL"),
        ("<20", "The last reliable viral load is <b>less than 20</b> copies per mL"),
        ("not detected", "The last reliable viral load is <b>not detected</b>,"),
    ],
)
def test_h12_only_a_number_of_copies_is_said_to_be_copies(
    story: factories.Cast, result: Any, load: str, words: str
) -> None:
    result(load, on="2026-11-10", test="hiv_rna")
    assert words in page_of(story)


def test_time_is_chosen_by_links(story: factories.Cast) -> None:
    page = page_of(story, "/results/trend/")
    for chosen in ("1", "2", "all"):
        assert f'<a href="?range={chosen}"' in page


def test_paper_says_whose_it_is_when_it_was_printed_and_up_to_when(story: factories.Cast) -> None:
    page = page_of(story)
    assert f"Code {story.anna_patient.code}. Printed on " in page
    assert "Results up to Wednesday 4 November 2026." in page
