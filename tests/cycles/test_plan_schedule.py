"""The schedule in the editor: lines and parts as typed, refused in words beside their box, never half saved."""

from decimal import Decimal

import pytest
import time_machine
from django.http import QueryDict
from django.urls import reverse

from cycles import bounds, plan_editor, schedule, schedule_rows
from cycles.models import Plan, Protocol
from cycles.plan_forms import NewPlanForm
from cycles.schedule_forms import ScheduleForm
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 12)


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


def address(cast, slug):
    return reverse("cycles:plan_new", kwargs={"code": cast.dan_patient.code, "slug": slug})


def blank(**changes):
    """A plan built line by line: three times a week for four weeks, then a rest of four."""
    form = {"indication": "other", "route": "sc", "p1_days": "56", "p1_repeat": "", "p1l1_days": "1-22/7 3-24/7 5-26/7"}
    form |= {"p1l1_slots": ["bedtime"], "p1l1_amount": "4.5", "starts_on": "2026-11-30", "time_bedtime": "9pm"}
    return {**form, **changes}


def two_lines(**changes):
    second = {"p1l2_days": "8-12", "p1l2_slots": ["bedtime"], "p1l2_amount": "3"}
    return blank(**{"p1l1_days": "1-5", **second, **changes})


def post(client, cast, slug, form):
    client.force_login(cast.ben)
    return client.post(address(cast, slug), form)


def errors(client, cast, form, slug="own-schedule"):
    answer = post(client, cast, slug, form)
    assert answer.status_code == 422
    assert not Plan.objects.exists()
    return answer.context["form"].errors


# Every template fills the boxes and comes back as it was


@pytest.mark.one_database
def test_every_template_goes_through_the_boxes_unchanged():
    """3.3: what the library says is what is signed, where the amounts stand in million units."""
    for protocol in Protocol.objects.exclude(standing="blank"):
        rows = plan_editor.template_rows(protocol)
        typed = QueryDict(mutable=True)
        for name, value in schedule_rows.boxes(rows).items():
            typed.setlist(name, value if isinstance(value, list) else [value])
        assert schedule_rows.sent(typed) == rows, protocol.slug
        if not protocol.regimen.needs_amounts:
            form = ScheduleForm(typed, protocol=protocol, rows=rows)
            assert form.is_valid(), (protocol.slug, form.errors)
            assert form.regimen == protocol.regimen, protocol.slug


def test_the_label_profile_is_two_entries_away_from_its_preview(client, cast):
    """3.3: 20 doses and 279 MIU in 35 days, after a first day and an hour."""
    answer = post(client, cast, "kidney-label", {"starts_on": "2026-11-30", "time_bedtime": "9pm"})
    outlook = answer.context["outlook"]
    assert (outlook.injections, outlook.course_total) == (20, 279)
    assert (outlook.next_start - outlook.starts_on).days == 35
    text = answer.content.decode()
    assert "279 million units in 20 injections" in text
    assert "Week 4" in text


def test_a_plan_is_built_line_by_line(client, cast):
    answer = post(client, cast, "own-schedule", blank(step="save"))
    assert answer.status_code == 302
    version = Plan.objects.get().current_version
    assert (version.indication, version.route, version.inpatient) == ("other", "sc", False)
    assert version.regimen.phases[0].cycle_days == 56
    assert version.regimen.course_total() == Decimal(54)
    assert Plan.objects.get().cycles.get().doses.count() == 12


def test_parts_follow_each_other(client, cast):
    """Induction, then maintenance without an end."""
    maintenance = {
        "p2_days": "28",
        "p2_repeat": "",
        "p2l1_days": "1-26/3",
        "p2l1_slots": ["bedtime"],
        "p2l1_amount": "1",
    }
    post(client, cast, "own-schedule", blank(p1_repeat="2", **maintenance, step="save"))
    phases = Plan.objects.get().current_version.regimen.phases
    assert [(phase.repeat, phase.cycle_days, len(phase.doses)) for phase in phases] == [(2, 56, 12), (None, 28, 9)]


def test_a_drip_is_given_on_a_ward(client, cast):
    """P59: no home reminders for it."""
    post(client, cast, "own-schedule", blank(route="civ", step="save"))
    assert Plan.objects.get().current_version.inpatient is True


# What is refused


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (blank(p1l1_days=""), "p1l1_days", "Say on which days of the course"),
        (blank(p1l1_days="Monday"), "p1l1_days", "Write the days like 1-5 8-12"),
        (blank(p1l1_days="5-1"), "p1l1_days", "Write the days like 1-5 8-12"),
        (blank(p1l1_days="1-5 3"), "p1l1_days", "Day 3 stands twice in this line."),
        (blank(p1l1_days="1-60"), "p1l1_days", "Day 60 lies outside: the next course starts after 56 days."),
        (two_lines(p1l2_days="5-9"), "p1l2_days", "Day 5, bedtime, stands in two lines."),
        (blank(p1l1_slots=[]), "p1l1_slots", "Choose at least one time of the day."),
        (blank(p1l1_amount=""), "p1l1_amount", "Enter the amount in million units."),
        (two_lines(p1l2_amount=""), "p1l2_amount", "Enter the amount in million units."),
        (blank(p1_days=""), "p1_days", "Enter the days from the start of one course"),
        (blank(p1_days="8 weeks"), "p1_days", "Write a whole number."),
        (blank(p1_days="4000"), "p1_days", "less than or equal to 3660"),
        (blank(indication=""), "indication", "Say what the treatment is for."),
        (blank(route=""), "route", "Say how it is given."),
        (blank(time_bedtime=""), "time_bedtime", "Enter the time of the injection."),
        (
            blank(p2_days="28", p2l1_days="1", p2l1_slots=["am"], p2l1_amount="1", time_am="8am"),
            "p1_repeat",
            "only the last part may go on without an end",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_at_its_box(client, cast, form, field, words):
    """Bad input of the issue: a slot twice, a dose beyond its cycle, cycles overlapping."""
    assert words in " ".join(errors(client, cast, form)[field])


@pytest.mark.parametrize(
    ("slug", "amount", "words"),
    [
        ("hiv-sc-own", "45", "Did you mean 4.5 million units?"),
        ("hiv-sc-own", "15", "Is it the amount of a whole day? Then each injection is 7.5 million units."),
        ("hiv-sc-own", "7500000", "7,500,000 reads like single units. Did you mean 7.5 million units?"),
        ("hiv-sc-own", "4,500,000", "4,500,000 reads like single units. Did you mean 4.5 million units?"),
        ("hiv-sc-own", "9.5", "9.5 million units is more than one injection of this treatment: 9 million units."),
        ("hiv-sc-own", "1,500", "Write the amount in million units, like 7.5."),
        ("hiv-sc-own", "-3", "Write the amount in million units, like 7.5."),
        ("hiv-sc-own", "0", "The amount has to be more than 0."),
        ("kidney-5-week", "180", "Did you mean 18 million units?"),
        ("kidney-5-week", "19", "more than one injection of this treatment: 18 million units."),
    ],
)
def test_an_amount_that_was_meant_otherwise_is_questioned_in_words(client, cast, slug, amount, words):
    """H04, H06: 45 for 4.5, IU for MIU, a day's amount as one injection."""
    form = {
        "starts_on": "2026-11-30",
        "time_am": "10am",
        "time_pm": "10pm",
        "time_bedtime": "9pm",
        "p1l1_amount": amount,
    }
    assert words in " ".join(errors(client, cast, form, slug)["p1l1_amount"])


def test_a_decimal_comma_is_understood(client, cast):
    """H04: parsed, never truncated."""
    form = {"starts_on": "2026-11-30", "time_am": "10am", "time_pm": "10pm", "p1l1_amount": "4,5"}
    assert post(client, cast, "hiv-sc-own", form).context["outlook"].course_total == 45


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("9", "18 million units a day is more than was studied: 15 million units at most. If it is meant, say why."),
        (
            "3",
            "6 million units a day is less than was studied: 9 million units at least. Lower amounts",
        ),
    ],
)
def test_outside_the_studied_range_a_reason_is_asked_for_with_both_numbers(client, cast, amount, words):
    """W6, P62; P05: a wide span was studied, so a reason is enough."""
    form = {"starts_on": "2026-11-30", "time_am": "10am", "time_pm": "10pm", "p1l1_amount": amount}
    assert words in " ".join(errors(client, cast, form, "hiv-sc-own")["beyond_reason"])
    assert post(client, cast, "hiv-sc-own", {**form, "beyond_reason": "trial", "step": "save"}).status_code == 302
    assert Plan.objects.get().current_version.beyond_reason == "trial"


@pytest.mark.parametrize(
    ("amount", "ceiling", "doses", "meant"),
    [
        ("15", "9", 2, "7.5"),
        ("45", "9", 2, "4.5"),
        ("7500000", "9", 2, "7.5"),
        ("500", "9", 2, None),
        ("180", "18", 1, "18"),
    ],
)
def test_what_was_probably_meant(amount, ceiling, doses, meant):
    found = bounds.probably_meant(Decimal(amount), Decimal(ceiling), doses)
    assert found == (Decimal(meant) if meant else None)


# Buttons that draw the page anew


@pytest.mark.parametrize(
    ("step", "shape"),
    [("line-1", [3]), ("drop-1-1", [1]), ("phase", [2, 1]), ("drop-1", [2]), ("line-9", [2]), ("line-x", [2])],
)
def test_lines_and_parts_come_and_go_without_a_script(client, cast, step, shape):
    form = post(client, cast, "own-schedule", two_lines(step=step, syringe_mark="second mark")).context["form"]
    assert [len(phase.lines) for phase in form.phases] == shape
    assert form["syringe_mark"].value() == "second mark"
    assert not form.errors
    assert not Plan.objects.exists()


def test_a_step_of_the_ladder_fills_in_each_injection(client, cast):
    """P48: 15 → 12 → 9 a day is 7.5 → 6 → 4.5 each."""
    client.force_login(cast.ben)
    form = client.get(address(cast, "hiv-sc-own")).context["form"]
    steps = [(str(daily.normalize()), str(each.normalize())) for daily, each in form.steps]
    assert steps[:3] == [("15", "7.5"), ("12", "6"), ("9", "4.5")]
    form = post(client, cast, "hiv-sc-own", {"step": "daily-12"}).context["form"]
    assert form["p1l1_amount"].value() == "6"
    assert form.totals == ["12 million units a day, 60 million units a course in 10 injections"]


LINE = schedule_rows.LineRow


@pytest.mark.parametrize(
    ("lines", "daily", "amounts"),
    [
        ([LINE("1-5", ("am", "pm"), "7.5")], 12, ["6"]),
        ([LINE("1-5", ("am",), "7.5"), LINE("1-5", ("pm",), "7.5")], 6, ["3", "3"]),
        ([LINE("1-5", ("am",), "7.5"), LINE("1-5", ("pm",), "7.5")], 9, ["4.5", "4.5"]),
        ([LINE("1-3", ("am", "pm"), "7.5"), LINE("4-5", ("am", "pm"), "7.5")], 12, ["6", "6"]),
        ([LINE("1-3", ("am",), "7.5"), LINE("3-5", ("pm",), "7.5")], 12, ["7.5", "7.5"]),  # day 3 has two
        ([LINE("1-5", ("am",), "7.5"), LINE("4-5", ("pm",), "7.5")], 12, ["7.5", "7.5"]),
        ([LINE("1-2", ("am", "pm"), "7.5"), LINE("3-5", ("am",), "9")], 12, ["7.5", "9"]),
        ([LINE("soon", ("pm",), "7.5")], 12, ["7.5"]),
        ([LINE("1-5", ("am",), "7.5"), LINE("soon", ("pm",), "7.5")], 12, ["7.5", "7.5"]),
        ([LINE("1-5", (), "7.5")], 12, ["7.5"]),
    ],
)
def test_the_amount_of_a_day_is_shared_by_all_its_injections(lines, daily, amounts):
    """H06, P48: over all lines; where days differ in their number of injections nothing is guessed."""
    (phase,) = plan_editor.with_daily((schedule_rows.PhaseRow("", "56", tuple(lines)),), Decimal(daily))
    assert [each.amount for each in phase.lines] == amounts


def test_days_of_work_move_the_suggested_start(client, cast):
    """P35: somebody who works at weekends starts on another day; the days are kept with the plan."""
    form = {"starts_on": "2026-12-02", "time_am": "10am", "time_pm": "10pm", "days_at_work": ["5", "6", "7"]}
    answer = post(client, cast, "hiv-sc-7-5", {**form, "step": "look"})
    assert "A start on a Saturday puts the days" in answer.content.decode()
    assert "of which you work on Friday, Saturday and Sunday" in answer.content.decode()
    post(client, cast, "hiv-sc-7-5", {**form, "step": "save"})
    cast.dan_patient.refresh_from_db()
    assert cast.dan_patient.work_days == "567"


# Size, syringe, limits


def by_size(**changes):
    form = {"starts_on": "2026-11-30", "time_am": "10am", "time_pm": "10pm", "p1l1_amount": "5.4"}
    return {**form, "size": "1.80", "size_on": "2026-11-02", **changes}


def test_an_amount_by_body_surface_is_typed_and_kept_with_its_date(client, cast):
    """H28: shown beside it, never worked out again."""
    text = post(client, cast, "hiv-sc-surface", by_size(step="look")).content.decode()
    assert "3 MIU/m² × 1.80 m² = 5.4 MIU" in text
    post(client, cast, "hiv-sc-surface", by_size(step="save"))
    version = Plan.objects.get().current_version
    assert (version.body_surface, str(version.body_surface_on)) == (Decimal("1.80"), "2026-11-02")
    assert version.amount_basis == "3 MIU/m² × 1.80 m²"
    assert {dose.amount for dose in Plan.objects.get().cycles.get().doses.all()} == {Decimal("5.4")}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"size": ""}, "size", "Enter the size"),
        ({"size": "18"}, "size", "Enter a number from 0.3 to 3.5."),
        ({"size": "tall"}, "size", "Write a number, like 1.8."),
        ({"size_on": ""}, "size_on", "Enter the day on which it was measured."),
        ({"size_on": "2026-11-22"}, "size_on", "This day has not come yet."),
    ],
)
def test_a_body_size_needs_its_date(client, cast, changes, field, words):
    """H28."""
    assert words in " ".join(errors(client, cast, by_size(**changes), "hiv-sc-surface")[field])


def hiv(**changes):
    return {"starts_on": "2026-11-25", "time_am": "10am", "time_pm": "10pm", **changes}


def test_a_volume_shows_only_with_a_concentration_and_with_its_error(client, cast):
    """O8, H29: 7.5 MIU at 18 MIU per mL is 0.4167 mL, shown as 0.42."""
    assert "mL" not in post(client, cast, "hiv-sc-7-5", hiv()).content.decode()
    text = post(client, cast, "hiv-sc-7-5", hiv(concentration="18")).content.decode()
    assert "7.5 million units: ≈ 0.42 mL" in text
    assert "which gives 7.56 MIU, 0.8 %" in text
    text = post(client, cast, "t1d-5-days", {**hiv(concentration="18"), "p1l1_amount": "1"}).content.decode()
    assert "too little for a volume in two decimals" in text


def test_the_patient_reads_the_nurses_mark_and_an_about(client, cast):
    """O8: always "as your nurse marked the syringe"."""
    form = hiv(concentration="18", syringe_mark="second mark", step="save")
    post(client, cast, "hiv-sc-4-5", form)
    client.force_login(cast.dan)
    text = client.get(reverse("cycles:plan")).content.decode()
    assert "second mark" in text
    assert "4.5 million units: ≈ 0.25 mL, as your nurse marked the syringe" in text


@pytest.mark.parametrize(("limit", "unit", "fits"), [("38.5", "C", True), ("101,5", "F", True), ("101.5", "C", False)])
def test_a_clinician_may_set_another_fever_limit(client, cast, limit, unit, fits):
    """A20."""
    answer = post(client, cast, "hiv-sc-7-5", hiv(fever_above=limit, fever_unit=unit, step="save"))
    assert (answer.status_code == 302) is fits
    if fits:
        version = Plan.objects.get().current_version
        assert (version.fever_above, version.fever_unit) == (Decimal(limit.replace(",", ".")), unit)


def test_a_patient_alone_keeps_the_limit_of_the_source(client):
    """B6: also when another one is sent; and no volume is worked out for him."""
    lee = factories.lone_patient()
    client.force_login(lee.user)
    url = reverse("cycles:plan_new", args=["hiv-sc-7-5"])
    form = client.get(url).context["form"]
    assert not {"fever_above", "fever_unit", "concentration"} & set(form.fields)
    assert form.steps == []  # R21: no ladder beside a patient's own boxes
    client.post(url, hiv(fever_above="39.5", fever_unit="C", concentration="18", step="save"))
    version = Plan.objects.get().current_version
    assert (str(version.fever_above), version.concentration) == ("102.0", None)


def test_a_goal_has_its_kind_and_medicines_are_names(client, cast):
    """P32, R27: only what the clinician entered, one a line."""
    form = hiv(goal_kind="percent", cd4_goal="200", premedication="ibuprofen\ncetirizine", step="save")
    post(client, cast, "hiv-sc-7-5", form)
    version = Plan.objects.get().current_version
    assert (version.goal_kind, version.cd4_goal, version.premedication) == ("percent", 200, "ibuprofen\ncetirizine")
    client.force_login(cast.dan)
    text = client.get(reverse("cycles:plan")).content.decode()
    assert "above 200 percent of the baseline" in text
    assert "ibuprofen<br>cetirizine" in text


def test_a_kidney_plan_has_no_cd4_goal(client, cast):
    client.force_login(cast.ben)
    form = client.get(address(cast, "kidney-label")).context["form"]
    assert not {"cd4_goal", "goal_kind"} & set(form.fields)


def test_the_start_suggested_is_a_wednesday(cast):
    """P34, P35: days 3 to 5 of a Wednesday start are Friday to Sunday."""
    protocol = Protocol.objects.get(slug="hiv-sc-7-5")
    rows = plan_editor.template_rows(protocol)
    known = {"protocol": protocol, "patient": cast.dan_patient, "today": NOW.date(), "viewer": cast.ben, "rows": rows}
    (day,) = NewPlanForm(**known).start_days
    assert day == {"start": "Wednesday", "falls_on": "Friday, Saturday and Sunday", "works": ""}
    assert schedule.SLOTS[0] == "night"
