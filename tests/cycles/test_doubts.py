"""What is asked before an injection is saved, and what the clinic is told."""

from decimal import Decimal

import pytest

from cycles.doubts import Doubt, Entry, first_doubt


def entry(amount="7.5", planned="7.5", ceiling="9", *, close=False, early=False):
    return Entry(
        Decimal(amount), Decimal(planned) if planned else None, Decimal(ceiling) if ceiling else None, close, early
    )


@pytest.mark.parametrize(
    ("what", "doubt"),
    [
        (entry(), None),
        (entry("7.500"), None),
        (entry("7.6"), Doubt.ABOVE_PLAN),
        (entry("75"), Doubt.ABOVE_PLAN),
        (entry("7.4"), Doubt.BELOW_PLAN),
        (entry(early=True), Doubt.EARLY),
        (entry(close=True), Doubt.TWICE),
        (entry("9", close=True), Doubt.TWICE),
        (entry("9", planned=""), None),
        (entry("9.1", planned=""), Doubt.LARGE),
        (entry("18", planned="", ceiling=""), None),
        (entry("18.001", planned="", ceiling=""), Doubt.LARGE),
    ],
)
def test_the_most_serious_question_comes_first(what, doubt):
    assert first_doubt(what, []) is doubt


@pytest.mark.parametrize(
    ("what", "answers", "left"),
    [
        (entry("9"), ["more"], None),
        (entry("9"), ["told"], None),
        (entry("9"), ["less"], Doubt.ABOVE_PLAN),
        (entry("6"), ["less"], None),
        (entry("6"), ["more"], Doubt.BELOW_PLAN),
        (entry("6", early=True), ["less"], Doubt.EARLY),
        (entry("6", early=True), ["less", "early"], None),
        (entry("9", close=True), ["twice"], Doubt.ABOVE_PLAN),
        (entry(close=True, early=True), ["twice"], None),
        (entry(close=True), ["early", "told", "large"], Doubt.TWICE),
    ],
)
def test_an_answer_settles_its_own_question_only(what, answers, left):
    assert first_doubt(what, answers) is left


@pytest.mark.parametrize(("amount", "large"), [("9", False), ("9.001", True)])
def test_large_means_above_what_the_treatment_uses(amount, large):
    assert entry(amount).is_large is large
