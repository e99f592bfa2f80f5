"""The small pictures of side effects: geometry and words."""

from datetime import date, timedelta
from types import SimpleNamespace

from il2tracker.clinic.effects import multiples
from sideeffects.models import DayOfReports

TIRED = SimpleNamespace(code="tired", word="Tired", position=1)
NAUSEA = SimpleNamespace(code="nausea", word="Feeling sick", position=2)
FEVER = SimpleNamespace(code="fever", word="Fever", position=3)
TODAY = date(2026, 11, 21)


def course(number, starts_on, length=5):
    return SimpleNamespace(pk=number, number=number, starts_on=starts_on, length=length)


def reports(starts_on, **by_code):
    days = {}
    for code, severities in by_code.items():
        for offset, severity in enumerate(severities):
            on = starts_on + timedelta(days=offset)
            days.setdefault(on, DayOfReports(on)).severities[code] = severity
    return days


COURSES = [course(1, date(2026, 9, 23)), course(2, date(2026, 11, 18))]
FELT = reports(date(2026, 9, 23), tired=[0, 1, 2, 3, 1]) | reports(date(2026, 11, 18), tired=[1, 1], nausea=[0, 2])


def drawn():
    return multiples(COURSES, FELT, [TIRED, NAUSEA, FEVER], TODAY)


def test_what_weighed_most_stands_first_and_what_never_was_is_left_out():
    assert [one.name for one in drawn()] == ["Tired", "Feeling sick"]


def test_words_say_the_same_as_the_picture():
    tired, sick = drawn()
    assert tired.description == (
        "Tired, severity 0 to 3 by day. course 1: 0, 1, 2, 3, 1; course 2: 1, 1, not recorded, not recorded"
    )
    assert sick.blocks[1].severities == [0, 2, None, None]


def test_a_bar_is_as_high_as_it_was_bad_and_a_gap_where_nothing_was_said():
    first, second = drawn()[0].blocks
    assert [bar.height for bar in first.bars] == [1.2, 12, 24, 36, 12]
    assert all(bar.y + bar.height == 41 for bar in first.bars)
    assert len(second.bars) == 2


def test_courses_share_the_width_without_touching():
    first, second = drawn()[0].blocks
    assert first.bars[-1].x + first.bars[-1].width <= first.x + first.width < second.x
    assert second.x + second.width <= 150


def test_a_single_long_course_gets_the_whole_width():
    start = date(2026, 11, 9)
    [one] = multiples([course(1, start, 26)], reports(start, tired=[1] * 13), [TIRED], TODAY)
    assert one.blocks[0].width == 144
    assert len(one.blocks[0].bars) == 13


def test_said_to_be_none_is_not_silence():
    felt = {TODAY: DayOfReports(TODAY, none=True)} | reports(TODAY - timedelta(days=1), tired=[2])
    [one] = multiples([course(2, TODAY - timedelta(days=2))], felt, [TIRED], TODAY)
    assert one.blocks[0].severities == [None, 2, 0]
