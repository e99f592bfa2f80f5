"""The places as a page shows them: when used, which is suggested, and why."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cycles import places
from cycles.models import Injection

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=ZoneInfo("UTC"))
COURSE_FROM = date(2026, 11, 18)


def used(site, days_ago, **facts):
    return Injection(site=site, given_at=NOON - timedelta(days=days_ago), zone="UTC", **facts)


def shown(recent, *, helped=False, chosen=""):
    suggested = places.suggestion(recent, helped=helped)
    return places.lay_out(recent, today=TODAY, course_from=COURSE_FROM, suggested=suggested, chosen=chosen)


@pytest.mark.parametrize(
    ("days_ago", "words", "state"),
    [
        (0, "Used today", "used"),
        (1, "Used yesterday", "used"),
        (3, "Used Wednesday", "used"),
        (4, "Used Tuesday", "free"),
        (6, "Used Sunday", "free"),
        (7, "Last 14 November", "free"),
        (105, "Last 8 August", "free"),
    ],
)
def test_each_place_says_when_it_was_used_and_only_this_course_counts_as_used(days_ago, words, state):
    place = shown([used("tol", days_ago)]).all[7]
    assert (place.site.code, place.number, place.words, place.state) == ("tol", 8, words, state)


def test_the_day_is_that_of_the_place_where_it_was_given():
    late = Injection(site="tol", given_at=NOON.replace(hour=20), zone="Asia/Tokyo")
    assert shown([late]).all[7].words == "Used today"


def test_the_list_goes_by_area_and_the_drawing_by_side():
    board = shown([])
    assert [(site.area, len(row)) for site, row in board.rows()][:2] == [("Abdomen, upper", 2), ("Abdomen, lower", 2)]
    assert (len(board.front), len(board.back)) == (8, 4)
    assert [place.side for place in board.front[:2]] == ["Right", "Left"]


def test_the_drawing_marks_what_the_list_says():
    marks = shown([used("aur", 1)]).marks
    assert (marks["aur"], marks["aul"], marks["bul"]) == (" bm-used", " bm-suggested", "")


@pytest.mark.parametrize(
    ("recent", "why"),
    [
        ([], "Abdomen, upper right is suggested: not used before."),
        ([used(code, 30 + n) for n, code in enumerate(["aul", "aur", "alr", "all", "tfr", "tfl", "tor", "tol"])],
         "Left thigh, outer side is suggested: not used in this course."),
        ([used(code, n / 4) for n, code in enumerate(["aul", "aur", "alr", "all", "tfr", "tfl", "tor", "tol"])],
         "Left thigh, outer side is suggested: of all places the one used longest ago."),
    ],
)  # fmt: skip
def test_the_suggestion_says_why(recent, why):
    assert shown(recent).why == why


def test_the_back_is_suggested_only_when_somebody_else_injects():
    recent = [used(code, n / 4) for n, code in enumerate(["aur", "aul", "alr", "all", "tfr", "tfl", "tor", "tol"])]
    assert shown(recent).suggested == "tol"
    assert shown(recent, helped=True).suggested == "ual"


def test_what_was_chosen_stays_chosen():
    assert [place.site.code for place in shown([], chosen="bul").all if place.is_chosen] == ["bul"]


def test_without_a_suggestion_nothing_is_claimed():
    board = places.lay_out([], today=TODAY, course_from=None, suggested=None, chosen="")
    assert board.why == ""
    assert {place.state for place in board.all} == {"free"}
