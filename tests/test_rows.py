"""Rows that are put back: what other tests stand on."""

import pytest
from django.db import connection

from tests import factories, rows


@pytest.mark.django_db
@pytest.mark.database("postgres")
def test_keys_of_rows_that_are_put_back_are_not_given_again_after_the_counters_were_set_back():
    """As a flush does (demo --reset), while the cast keeps the keys of the first time."""
    factories.cast()
    rows.restore({})
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE accounts_user_id_seq RESTART")
    cast = factories.cast()
    people = (cast.anna, cast.ben, cast.carla, cast.dan, cast.sam, cast.eve)
    assert factories.user("Nora").pk == max(person.pk for person in people) + 1
