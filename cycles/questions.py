"""What is asked before a course: hazards, each with the words for the patient, its source and what follows. Pure.

Two lists (D10): a hazard needs a person when the answer is yes or not sure; what is to be got ready stands in
preparation.py. Nothing here clears anybody: the outcome only says how much the clinic needs to look at.
Answers count until day 1 (X7), for at most a week (ux 2.8); some hazards are asked again on day 1 itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

OPENS_BEFORE = timedelta(days=14)  # ux 2.8
FRESH_FOR = timedelta(days=7)  # ux 2.8: an older answer is asked for again
NO, YES, UNSURE = "no", "yes", "unsure"


@dataclass(frozen=True)
class Question:
    """One hazard. `name` is what lists call it, `hold` the kind of hold that yes or not sure raises at once.

    `advice` is said as soon as the answer is yes; `since` joins the end of the last course to the hint.
    """

    code: str
    name: str
    ask: str
    hint: str
    why: str
    source: str
    hold: str = ""
    advice: str = ""
    on_day_1: bool = False
    later_courses_only: bool = False
    since: bool = False
    crisis: bool = False

    @property
    def number(self) -> int:
        """Its place among all questions, from 1. It stands in addresses, which must not say what is asked."""
        return HAZARDS.index(self) + 1


HAZARDS: tuple[Question, ...] = (
    Question(
        code="infection",
        name="Infection",
        ask="Do you have an infection now, or are you still on treatment for one?",
        hint="For example a chest or bladder infection, or an infected tooth.",
        why="For a short time IL-2 makes it harder to fight an infection. A course waits until it is gone.",
        source="P21, P22, W26",
        hold="infection",
        on_day_1=True,
    ),
    Question(
        code="fever",
        name="Fever or antibiotics",
        ask="Do you have a fever, or do you take antibiotics?",
        hint="Also a fever that medicine has brought down.",
        why="A fever before the first injection may be an infection. Later it could not be told from the treatment.",
        source="R17, P21, K13",
        advice="A fever, or an infection under treatment: call your team straight away, before any injection. With "
        "IL-2 an infection can be life-threatening.",
        on_day_1=True,
    ),
    Question(
        code="shingles",
        name="Shingles or chickenpox",
        ask="Do you have shingles or chickenpox, or were you near somebody who has?",
        hint="",
        why="Shingles may flare during the treatment, and your team wants to know of any contact.",
        source="K19, R17",
    ),
    Question(
        code="illness",
        name="New illness",
        ask="Do you have any other new illness or condition?",
        hint="Anything that was found, or that began, and that your clinic may not know of.",
        why="Any new illness may be a reason to wait, not only an infection.",
        source="M4",
        since=True,
    ),
    Question(
        code="tired",
        name="Extreme tiredness",
        ask="Are you extremely tired?",
        hint="So tired that you cannot do what you usually do.",
        why="The cause of extreme tiredness is found first; the course waits until it has passed.",
        source="P28",
    ),
    Question(
        code="organs",
        name="Heart, lungs, thyroid, diabetes, immune system",
        ask="Is there anything new with your heart, lungs, thyroid or blood sugar, or with an autoimmune illness?",
        hint="Autoimmune illnesses are for example Crohn’s disease, psoriasis and rheumatoid arthritis.",
        why="IL-2 can lower blood pressure and can make these conditions worse.",
        source="P23, P25, P26, P27, P29",
        since=True,
    ),
    Question(
        code="pregnancy",
        name="Pregnancy",
        ask="Are you pregnant, or could you be?",
        hint="Everybody is asked. Answer “No” if it cannot be.",
        why="IL-2 may harm an unborn baby. A course waits until somebody of your clinic has spoken with you.",
        source="P30, K20",
        hold="pregnancy",
        on_day_1=True,
    ),
    Question(
        code="family",
        name="Breastfeeding or planning a child",
        ask="Are you breastfeeding, or may you or a partner become pregnant in the coming months?",
        hint="Also as a father. “Yes” as well when nothing reliable prevents it.",
        why="No pregnancy and no fathering during the treatment and for a few months after it; no breastfeeding "
        "during it.",
        source="K20, K21, R17",
    ),
    Question(
        code="pressure",
        name="Blood-pressure medicine",
        ask="Do you take a medicine that lowers blood pressure?",
        hint="Also when it was prescribed for the heart, the kidneys or the prostate.",
        why="With IL-2 blood pressure can fall dangerously.",
        source="P24, M5, R28",
        advice="You take a blood-pressure medicine. With IL-2 your blood pressure can fall dangerously. Talk to your "
        "doctor before day 1. Do not change it on your own.",
    ),
    Question(
        code="medicine",
        name="New or changed medicine",
        ask="Have you started, changed or stopped any medicine?",
        hint="Steroids, antihistamines and HIV medicines too, and also vitamins, herbal medicines and what you buy "
        "without a prescription.",
        why="Some medicines do not go together with IL-2 or with each other. Only your team changes your medicines.",
        source="R17, K18, P33, H20",
        on_day_1=True,
        since=True,
    ),
    Question(
        code="scan",
        name="Scan with contrast dye",
        ask="Is a scan or X-ray with contrast dye planned?",
        hint="A dye that is drunk or injected, so that more can be seen.",
        why="The dye and IL-2 close together can cause a reaction. Your clinic decides about the days.",
        source="R17",
    ),
    Question(
        code="vaccine",
        name="Live vaccine",
        ask="Is a live vaccine planned, or did you have one recently?",
        hint="For example measles, yellow fever, or the flu vaccine that is sprayed into the nose. Names change: ask "
        "whether it is live.",
        why="No live vaccines during the treatment and for some months after it. Ask your doctor first, even after "
        "that.",
        source="K22, W25, R23, R24",
    ),
    Question(
        code="mood",
        name="Low mood",
        ask="Has your mood been low, or has it changed?",
        hint="Perhaps somebody close to you has noticed it. Ask them too.",
        why="IL-2 can bring low mood and confusion, more often after an earlier depression.",
        source="R17, M12, R7",
        advice="New or worse low mood: call your team today.",
        crisis=True,
    ),
    Question(
        code="settled",
        name="Side effects of the last course",
        ask="Is anything from your last course still not settled?",
        hint="For example a sore or hard place, swelling, tiredness, diarrhoea, or trouble with sleep.",
        why="Your clinic wants to know what has not gone away before the next course begins.",
        source="R17",
        later_courses_only=True,
        since=True,
    ),
)
BY_CODE: Mapping[str, Question] = {question.code: question for question in HAZARDS}
BY_NUMBER: Mapping[int, Question] = {question.number: question for question in HAZARDS}


@dataclass(frozen=True)
class Given:
    """An answer as it stands: what was said, and the civil day on which it was said."""

    answer: str
    on: date

    @property
    def needs_a_person(self) -> bool:
        """Yes or not sure (D10)."""
        return self.answer in {YES, UNSURE}


class Standing(StrEnum):
    """Where a question stands. AGAIN: answered, but too long ago, or before day 1 has come."""

    LOOK = "look"
    ANSWERED = "answered"
    AGAIN = "again"
    OPEN = "open"


def asked(course: int) -> tuple[Question, ...]:
    """The questions before a course of this number: the first has no last course that could be unsettled."""
    return tuple(question for question in HAZARDS if course > 1 or not question.later_courses_only)


def opens_on(starts_on: date) -> date:
    """The first day on which the questions can be answered."""
    return starts_on - OPENS_BEFORE


def is_open(starts_on: date, today: date) -> bool:
    """From 14 days before day 1 until the end of day 1 (X7)."""
    return opens_on(starts_on) <= today <= starts_on


def is_stale(question: Question, given: Given, starts_on: date, today: date) -> bool:
    """Older than a week; or given before day 1, which has come, for what is asked again on it. Not after day 1."""
    if today > starts_on:
        return False
    return today - given.on > FRESH_FOR or (question.on_day_1 and given.on < starts_on <= today)


def standing(question: Question, given: Given | None, starts_on: date, today: date) -> Standing:
    """Where the question stands. What needs a person does so however old the answer is."""
    if given is None:
        return Standing.OPEN
    if given.needs_a_person:
        return Standing.LOOK
    return Standing.AGAIN if is_stale(question, given, starts_on, today) else Standing.ANSWERED


def still_to_ask(
    questions: Iterable[Question], answers: Mapping[str, Given], starts_on: date, today: date
) -> list[Question]:
    """Those without an answer and those whose answer is too old, also when it was yes."""
    return [
        question
        for question in questions
        if question.code not in answers or is_stale(question, answers[question.code], starts_on, today)
    ]
