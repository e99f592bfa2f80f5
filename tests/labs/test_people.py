from datetime import date

import pytest

from labs.files.candidates import Person
from labs.files.people import can_be_compared, differences, in_words


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("NOVAK^ANNA".replace("^", " "), "Anna Novak"),
        ("Novak, Anna", "anna novak"),
        ("Anna Maria Novak", "Anna Novak"),
        ("Novák Anna", "Anna Novak"),
        ("A. Novak", "Anna Novak"),
        ("Mrs Anna Novak", "Novak Anna"),
        ("Anna", "Anna Novak"),
        ("Müller, Jörg", "Joerg Mueller"),
        ("Müller, Jörg", "Jorg Muller"),
        ("O'Brien Sean", "Seán OBrien"),
        ("García-López, María", "Maria Garcia"),
        ("", "Anna Novak"),
        ("Anna Novak", ""),
        ("Иван Петров", "Петров Иван"),
        ("12345", "Anna Novak"),
    ],
)
def test_the_same_person_written_in_another_way_is_let_pass(theirs, ours):
    assert differences(Person(name=theirs), [ours], None) == ()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("John Smith", "Anna Novak"),
        ("Jane Novak", "Anna Novak"),
        ("Anna Smith", "Anna Novak"),
        ("John Paul Smith", "John Paul Jones"),
        ("Anna Maria Novak", "Anna Sofia Novak"),
        ("A", "Anna Novak"),
        ("B. Novak", "Anna Novak"),
        ("Anna Anna", "Anna Novak"),
    ],
)
def test_another_name_stops_for_a_human(theirs, ours):
    assert differences(Person(name=theirs), [ours], None) == ("name",)


@pytest.mark.parametrize(
    ("person", "year", "expected"),
    [
        (Person(birth_year=1980), 1980, ()),
        (Person(born_on=date(1980, 12, 31)), 1980, ()),
        (Person(born_on=date(1981, 1, 1)), 1980, ("birth",)),
        (Person(birth_year=1981), 1980, ("birth",)),
        (Person(birth_year=1981), None, ()),
        (Person(), 1980, ()),
        (None, 1980, ()),
        (Person(name="Anna Novak", birth_year=1981), 1980, ("birth",)),
        (Person(name="John Smith", birth_year=1981), 1980, ("name", "birth")),
    ],
)
def test_another_year_of_birth_stops_for_a_human_whatever_the_name(person, year, expected):
    assert differences(person, ["Anna Novak"], year) == expected


def test_one_of_several_names_is_enough():
    assert differences(Person(name="Anna Novak"), ["ACTG 315 · one", "Anna Novak"], None) == ()


def test_whom_a_message_names_is_said_in_a_phrase():
    assert in_words(Person("NOVAK, ANNA", date(1980, 5, 1))) == "NOVAK, ANNA, born 1 May 1980"
    assert in_words(Person(birth_year=1980)) == "born 1980"
    assert in_words(Person(number="12")) == "12"


@pytest.mark.parametrize(
    ("person", "can"),
    [
        (Person("Anna"), True),
        (Person("", None, 1974), True),
        (Person("", date(1974, 3, 15)), True),
        (Person("", None, None, "7KQM"), True),
        (Person("", None, None, "4711"), False),
        (Person(" 12 "), False),
        (Person(), False),
    ],
)
def test_what_a_message_says_of_a_person_can_be_compared_or_not(person, can):
    assert can_be_compared(person, ["", "Anna Novak"], 1974, "7KQM") is can


def test_a_diary_without_name_and_year_has_only_its_code_to_compare():
    everything = Person("Anna Novak", date(1974, 3, 15), None, "4711")
    assert not can_be_compared(everything, ["", ""], None, "7KQM")
    assert can_be_compared(everything, ["", ""], None, "4711")
