"""Which test answers for which row of the sources: every rule about plans, courses and doses is named by one.

The ids are those of the domain reference: P01–P72 of the HIV source, K01–K26 of the kidney source, 2.1–2.14 of the
definitions, O1–O12 of the worked examples. A rule that is about something else says below what carries it.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ALL = [
    *(f"P{number:02}" for number in range(1, 73)),
    *(f"K{number:02}" for number in range(1, 27)),
    *(f"2.{number}" for number in range(1, 15)),
    *(f"O{number}" for number in range(1, 13)),
]

# What does not speak of plans, courses or doses, by what carries it.
ELSEWHERE = {
    "education about the treatment, its evidence and its limits": "P01 P07 P11 P14 P16 P17 P69 P72 K26",
    "education that no page gives yet: how fast a count rises, and that IL-2 makes nothing resistant": "P13 P49 P50",
    "results: reliability, goals, panels, the chart": "P08 P18 P19 P51 P61 K08 2.3",
    "side effects: the daily check-in and its urgent rules": (
        "P42 P43 P44 P45 P46 P47 K09 K10 K12 K13 K15 K16 2.8 2.12 O6 O12"
    ),
    "outdated: company phone lines and the politics of 2007 are left out": "P71",
    "vaccines and reports to a regulator: words only": "K23 K24 K25",
}
# What is about the treatment as a whole, and a page of a plan, a course or a report says it: by the tests of the words.
ON_PAGES = ["P02", "P09", "P31", "P57", "P68"]
CARRIED = {rule: feature for feature, rules in ELSEWHERE.items() for rule in rules.split()}


def texts() -> str:
    """All tests but this one."""
    files = [file for file in sorted(TESTS.rglob("*.py")) if file != Path(__file__)]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def names(text: str, rule: str) -> bool:
    """Whether a text names a rule as itself, not as part of another number; also in a test's name: test_o12_…"""
    in_words, in_a_name = re.escape(rule), rule.lower().replace(".", "_")
    found = re.search(rf"(?<!ux )(?<![\w.]){in_words}(?!\w|\.\d)|def test\w*_{in_a_name}(?=[_(])", text)
    return found is not None


TEXTS = texts()


@pytest.mark.one_database
@pytest.mark.parametrize("rule", [rule for rule in ALL if rule not in CARRIED])
def test_every_rule_about_plans_courses_and_doses_is_named_by_a_test(rule):
    assert names(TEXTS, rule)


@pytest.mark.one_database
@pytest.mark.parametrize("rule", ON_PAGES)
def test_what_a_page_says_about_the_treatment_is_named_where_the_page_is_read(rule):
    assert names((TESTS / "cycles" / "test_said_on_the_pages.py").read_text(encoding="utf-8"), rule)


def test_nothing_is_carried_elsewhere_that_does_not_exist():
    assert set(CARRIED) <= set(ALL)
    assert len(CARRIED) == sum(len(rules.split()) for rules in ELSEWHERE.values())


@pytest.mark.parametrize(("folder", "rule"), [("labs", "2.3"), ("sideeffects", "O6"), ("sideeffects", "O12")])
def test_worked_examples_and_definitions_of_other_features_are_named_by_their_own_tests(folder, rule):
    assert names("\n".join(file.read_text(encoding="utf-8") for file in (TESTS / folder).glob("*.py")), rule)


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        ("the start of P06", "P06", True),
        ("P060", "P06", False),
        ("2.10", "2.1", False),
        ("12.1", "2.1", False),
        ("by 2.1.", "2.1", True),
        ("ux 2.4", "2.4", False),  # another document's section
        ("O10", "O1", False),
        ("O1, O2", "O1", True),
        ("def test_the_days_of_o12(", "O12", True),
        ("def test_2_5_nothing(", "2.5", True),
        ("def test_12_5_nothing(", "2.5", False),
        ("def test_o12_days(", "O1", False),
    ],
)
def test_a_rule_is_not_found_in_another_one(text, rule, named):
    assert names(text, rule) is named
