"""Which names on a list the sources have a word about (P32, P33, H21): a table, and nothing else is guessed."""

import pytest

from cycles.interactions import find


@pytest.mark.parametrize(
    ("lines", "together"),
    [
        (["Cetirizine", "Darunavir and ritonavir"], ("Cetirizine", "Darunavir and ritonavir")),
        (["loratadine 10", "KALETRA"], ("loratadine 10", "KALETRA")),
        (["an antihistamine", "Prezista"], ("an antihistamine", "Prezista")),
        (["Cetirizine"], ()),
        (["Darunavir"], ()),
        (["Cetirizine", "Dolutegravir"], ()),
        (["Valerian", "Paracetamol"], ()),
        (["Mycetirizinex", "Darunavir"], ()),
        ([], ()),
    ],
)
def test_p33_an_antihistamine_and_a_protease_inhibitor_are_named_only_together(lines, together):
    assert find(lines).may_interact == together


@pytest.mark.parametrize(
    ("line", "named"),
    [("Ibuprofen", True), ("aspirin, when needed", True), ("Naproxen", True), ("Paracetamol", False), ("", False)],
)
def test_h21_medicines_like_ibuprofen_are_recognised_by_their_names(line, named):
    assert bool(find([line]).anti_inflammatories) is named


def test_a_name_that_stands_twice_is_said_once():
    assert find(["Ibuprofen", " Ibuprofen "]).anti_inflammatories == ("Ibuprofen",)
