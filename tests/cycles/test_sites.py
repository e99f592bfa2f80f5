"""Where to inject next: the place unused for longest, never the last one, of equals the other side."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.sites import BACK, BY_CODE, FRONT, LEFT, RIGHT, SITES, last_uses, suggest, within_reach

CODES = [site.code for site in SITES]
START = datetime(2026, 11, 18, 10, tzinfo=UTC)


def uses(*codes):
    """Each place used twelve hours after the one before."""
    return [(code, START + timedelta(hours=12 * n)) for n, code in enumerate(codes)]


def test_there_are_twelve_places_on_both_sides_of_the_body():
    assert CODES == ["aur", "aul", "alr", "all", "tfr", "tfl", "tor", "tol", "uar", "ual", "bur", "bul"]
    assert [site.side for site in SITES] == [RIGHT, LEFT] * 6
    assert [site.view for site in SITES] == [FRONT] * 8 + [BACK] * 4


def test_only_places_at_the_back_need_somebody_else():
    assert [site.code for site in SITES if site.needs_another] == ["uar", "ual", "bur", "bul"]
    assert [site.code for site in within_reach(SITES)] == CODES[:8]


def test_places_are_named_as_in_a_sentence():
    assert BY_CODE["tfr"].words == "right thigh, front"
    assert BY_CODE["all"].words == "abdomen, lower left"


@pytest.mark.parametrize(
    ("used", "sore", "suggested"),
    [
        ((), (), "aur"),  # nothing yet: the first of the list
        (("aur",), (), "aul"),  # the other side
        (("aul",), (), "aur"),
        (("aur", "aul"), (), "alr"),  # left was last: right
        (("aur", "aul", "alr"), (), "all"),
        (("aul", "all", "tfl", "tol", "ual"), (), "aur"),
        (("aur",), ("aul",), "all"),  # sore: the next free one of the other side
        (tuple(CODES), (), "aur"),  # all used: the oldest
        ((*CODES, "aur"), (), "aul"),  # the oldest is now the second
        ((*CODES[1:], "aur"), (), "aul"),
        (tuple(CODES), ("aur",), "aul"),
        (("tfr",), ("aul", "all", "tfl", "tol", "ual", "bul"), "aur"),  # the whole other side is sore: the same side
    ],
)
def test_the_place_unused_for_longest_is_suggested(used, sore, suggested):
    """2.10, D22: never the last place, never a sore one, the least recently used first."""
    assert suggest(SITES, uses(*used), sore) == suggested


def test_the_last_place_is_never_suggested_even_when_it_is_the_only_free_one():
    assert suggest(SITES, uses("aur"), [code for code in CODES if code != "aur"]) is None


def test_a_place_used_again_just_now_is_not_suggested_a_third_time():
    """K14: the last place is the one used last, however often it was used before."""
    used, sore = uses("aur", "aul", "aur"), [code for code in CODES if code not in {"aur", "aul"}]
    assert list(last_uses(used)) == ["aul", "aur"]
    assert suggest(SITES, used, sore) == "aul"


def test_a_person_alone_is_shown_places_within_reach():
    assert suggest(within_reach(SITES), uses(*CODES[:8])) == "aur"
    assert suggest(SITES, uses(*CODES[:8])) == "uar"


def test_the_order_in_which_injections_are_listed_does_not_matter():
    used = uses("aur", "aul", "aur")
    assert last_uses(reversed(used)) == last_uses(used) == {"aul": used[1][1], "aur": used[2][1]}


def test_an_injection_without_a_place_says_nothing():
    assert suggest(SITES, uses("", "aur", "")) == "aul"


def test_a_place_that_left_the_list_is_no_obstacle():
    assert suggest(SITES, uses("navel")) == "aur"


histories = st.lists(st.tuples(st.sampled_from(CODES), st.datetimes(timezones=st.just(UTC))), max_size=40)


@given(histories, st.sets(st.sampled_from(CODES)))
def test_no_sore_place_and_never_the_last_and_nothing_older_is_left_out(used, sore):
    code = suggest(SITES, used, sore)
    recent = last_uses(used)
    last = list(recent)[-1] if recent else None
    free = [other for other in CODES if other not in sore and other != last]
    assert (code is None) == (not free)
    if code:
        assert code in free
        assert recent.get(code, START.min.replace(tzinfo=UTC)) == min(
            recent.get(other, START.min.replace(tzinfo=UTC)) for other in free
        )


def test_ten_injections_of_a_course_use_ten_places():
    used = []
    for n in range(10):
        used.append((suggest(SITES, used), START + timedelta(hours=12 * n)))
    assert len({code for code, _ in used}) == 10
