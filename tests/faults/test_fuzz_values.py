"""Ten thousand texts, messages, units and ranges that nobody thought of: no exception, and no number made up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.labs import value_properties as properties

pytestmark = [pytest.mark.faults_long, pytest.mark.one_database]
LONG = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


@LONG
@given(properties.codes, properties.texts, properties.units)
def test_whatever_is_typed_is_what_was_typed_or_is_refused_in_words(code: str, text: str, unit: str) -> None:
    properties.typed(code, text, unit)


@LONG
@given(
    properties.codes,
    st.sampled_from(properties.SIGNS) | st.text(max_size=3),
    properties.numbers | properties.values.map(str) | properties.texts,
    st.sampled_from(properties.SPELLINGS) | properties.texts,
)
def test_whatever_is_sent_is_what_was_sent_or_is_refused_in_words(
    code: str, comparator: str, number: str, unit: str
) -> None:
    properties.sent(code, comparator, number, unit)


@LONG
@given(properties.tests, properties.values, st.sampled_from(properties.SIGNS), st.integers(0, 20))
def test_a_number_with_its_unit_comes_back_as_it_was_written(code: str, value: Decimal, sign: str, which: int) -> None:
    properties.comes_back(code, value, sign, which)


@LONG
@given(properties.tests, properties.values, st.integers(0, 20))
def test_what_is_converted_converts_back(code: str, value: Decimal, which: int) -> None:
    properties.converts_back(code, value, which)


@LONG
@given(properties.texts | st.lists(properties.texts, max_size=4).map("-".join))
def test_a_range_holds_only_limits_that_are_printed(text: str) -> None:
    properties.bounded(text)
