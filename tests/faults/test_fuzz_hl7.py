"""Ten thousand broken HL7 messages and ten thousand whole ones: no exception, and no number that was not sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.labs import hl7_properties as properties

pytestmark = [pytest.mark.faults_long, pytest.mark.one_database]
LONG = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


@LONG
@given(properties.broken() | st.binary(max_size=2_000))
def test_no_broken_message_raises_or_makes_a_number_up(data: bytes) -> None:
    properties.check(data)


@LONG
@given(st.lists(properties.SENT, min_size=1, max_size=8), properties.SIGNS, st.sampled_from(["\r", "\n", "\r\n"]),
       st.booleans())  # fmt: skip
def test_every_whole_message_is_read_as_it_was_meant(results: Any, signs: str, end: str, batch: bool) -> None:
    properties.comes_back(results, signs, end, batch)
