"""Today asks for a check-in: daily in a course and two days after, weekly between courses, and again after a fever."""

from datetime import date
from uuid import uuid4

import pytest

from cycles.course_actions import stop_cycle
from cycles.models import Cycle
from sideeffects.actions import Answers, record_check_in
from sideeffects.units import parse_temperature
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

DAILY, WEEKLY = "Nothing is written down for today yet.", "Nothing is written down for a week."
AGAIN = "How is it now?"


def feel(cast, at, temperature="", **answers):
    if temperature:
        answers |= {"temperature": parse_temperature(temperature), "temperature_typed": temperature}
    record_check_in(
        by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=Answers(none_of_flags=True, **answers), now=at
    )


def asks(see, cast, at):
    page = see(cast.anna, at=at).text_read
    return [words for words in (DAILY, WEEKLY, AGAIN) if words in page]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (utc(2026, 11, 17, 12), []),
        (utc(2026, 11, 18, 12), [DAILY]),
        (utc(2026, 11, 24, 12), [DAILY]),  # day 5 was the 22nd
        (utc(2026, 11, 25, 12), []),
        (utc(2026, 11, 28, 12), []),
        (utc(2026, 11, 29, 12), [WEEKLY]),
    ],
)
def test_a_course_without_a_word_is_asked_about(cast, see, on_course, at, said):
    on_course(cast.anna_patient, cast.ben)
    assert asks(see, cast, at) == said


def test_once_written_nothing_is_asked_for_on_that_day_and_for_that_week(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    feel(cast, utc(2026, 11, 21, 8))
    assert asks(see, cast, utc(2026, 11, 21, 21)) == []
    assert asks(see, cast, utc(2026, 11, 22, 8)) == [DAILY]
    feel(cast, utc(2026, 11, 30, 8))
    assert asks(see, cast, utc(2026, 12, 6, 21)) == []
    assert asks(see, cast, utc(2026, 12, 7, 8)) == [WEEKLY]


def test_a_course_that_was_stopped_is_asked_about_for_two_days_more(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    course = Cycle.objects.get(number=1, patient=cast.anna_patient)
    stop_cycle(by=cast.ben, cycle=course, on=date(2026, 11, 20), reason="fever")
    assert asks(see, cast, utc(2026, 11, 22, 12)) == [DAILY]
    assert asks(see, cast, utc(2026, 11, 23, 12)) == []


def test_a_course_on_hold_asks_for_nothing_by_the_calendar(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    factories.hold(cast.ben, Cycle.objects.get(number=1, patient=cast.anna_patient), now=utc(2026, 11, 19, 12))
    assert asks(see, cast, utc(2026, 11, 21, 12)) == []


def test_without_a_plan_nothing_is_asked_for(cast, see):
    assert asks(see, cast, utc(2026, 11, 21, 12)) == []


def test_a_fever_is_asked_about_again_the_next_day_until_a_reading_at_or_below_the_limit(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, fever_above="38.0", fever_unit="C", fever_only_if_not_relieved=False)
    feel(cast, utc(2026, 11, 21, 22), "38.9")
    assert asks(see, cast, utc(2026, 11, 21, 22, 30)) == []
    page = see(cast.anna, at=utc(2026, 11, 22, 9)).text_read.replace("\xa0", " ")
    assert "Yesterday 38.9 °C at 10pm. How is it now?" in page
    feel(cast, utc(2026, 11, 22, 10))  # written without a reading: still asked
    assert asks(see, cast, utc(2026, 11, 22, 11)) == [AGAIN]
    page = see(cast.anna, at=utc(2026, 11, 23, 9)).text_read.replace("\xa0", " ")
    assert "38.9 °C on Saturday 21 November 2026 at 10pm. How is it now?" in page
    feel(cast, utc(2026, 11, 23, 10), "38.0")
    assert asks(see, cast, utc(2026, 11, 23, 11)) == []


def test_the_limit_of_the_plan_counts_as_it_was_written(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)  # this protocol has 102 °F, and the stricter 38.0 °C of its version
    feel(cast, utc(2026, 11, 21, 22), "38.04")
    over = see(cast.anna, at=utc(2026, 11, 22, 9)).context["page"]
    limit = parse_temperature(f"{over.version.fever_above.normalize():f} {over.version.fever_unit}")
    assert bool(over.felt.fever) == (parse_temperature("38.04").fahrenheit > limit.fahrenheit)


def test_the_question_comes_before_the_injection(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((4, "pm"),))
    feel(cast, utc(2026, 11, 20, 22), "39.2", medicine="came_down")
    page = see(cast.anna).content.decode()
    assert page.index(AGAIN) < page.index("7.5 million units")
    assert page.count("How are you right now?") == 1
