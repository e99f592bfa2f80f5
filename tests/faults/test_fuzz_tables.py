"""Ten thousand tables that nobody thought of: no exception, no number made up, what is clear comes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.files.rows import Answers
from tests.labs import table_properties as properties

pytestmark = [pytest.mark.faults_long, pytest.mark.one_database]
LONG = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


@LONG
@given(properties.tables | properties.broken | properties.pasted | st.binary(max_size=300), properties.answers)
def test_every_table_gets_an_answer_for_each_row_and_no_number_of_its_own(content: bytes, said: Answers) -> None:
    properties.answered(content, said)


@LONG
@given(
    st.lists(st.tuples(properties.drawn, properties.values), min_size=1, max_size=6),
    st.sampled_from(";\t|"),
    st.booleans(),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d %B %Y"]),
)
def test_a_table_without_doubt_comes_back(rows: list[tuple[date, Decimal]], mark: str, comma: bool, how: str) -> None:
    properties.comes_back(rows, mark, comma, how)
