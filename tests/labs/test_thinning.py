"""Long histories: what is drawn of them, and that nothing telling vanishes."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from labs.thinning import MOST_DRAWS, worth_drawing
from labs.trends import Judgement, Point, Reason, Verdict

FIRST = date(2006, 1, 1)
COUNTS, SOON = Judgement(Verdict.RELIABLE, Reason.LONG_ENOUGH), Judgement(Verdict.UNRELIABLE, Reason.TOO_SOON)


def points(values):
    return [
        Point(FIRST + timedelta(days=n), Decimal(value), "=", COUNTS if counts else SOON)
        for n, (value, counts) in enumerate(values)
    ]


VALUES = st.lists(st.tuples(st.integers(0, 5000), st.booleans()), max_size=1500)


@given(VALUES, VALUES)
def test_the_lowest_and_highest_of_each_series_stay_and_so_do_those_that_count(counts, loads):
    series = [points(counts), points(loads)]
    kept = worth_drawing(series)
    assert len(kept) <= MOST_DRAWS
    for each in series:
        for group in (each, [point for point in each if point.counts]):
            left = [point for point in group if point.on in kept]
            assert bool(left) is bool(group)
            if group:
                assert min(p.value for p in left) == min(p.value for p in group)
                assert max(p.value for p in left) == max(p.value for p in group)
                assert (left[0], left[-1]) == (group[0], group[-1])


def test_up_to_the_limit_every_draw_is_drawn():
    some = points([(n, True) for n in range(MOST_DRAWS)])
    assert len(worth_drawing([some, []])) == MOST_DRAWS
    assert len(worth_drawing([points([(n, True) for n in range(MOST_DRAWS + 1)]), []])) < MOST_DRAWS


def test_a_not_detected_result_is_the_lowest_of_its_stretch():
    many = points([(100, True)] * 1000)
    many[500] = many[500]._replace(value=None)
    assert many[500].on in worth_drawing([many, []])
