"""Who lives in the demo clinic. Every name, number and value is invented; telephone numbers are kept free for fiction.

Days are counted from the day of filling (0 = today, -1 = yesterday) or, where it says so, from day 1 of a course.
"""

from __future__ import annotations

from datetime import time
from typing import Any

from il2tracker.demo import laboratory
from il2tracker.demo.roles import Before, Carer, Draw, Earlier, Expects, Feeling, Life, NewAmount, Place, Report, Staff

PASSWORD = "calm-paper-ink"

NORTH: dict[str, Any] = {
    "slug": "clinic-north",
    "name": "Clinic North",
    "day_phone": "020 7946 0018",
    "night_phone": "020 7946 0018",
    "opens_at": time(8),
    "closes_at": time(18),
    "emergency_phone": "999",
    "crisis_phone": "116 123",
    "confirms_starts": True,
    "suggests_dose_steps": True,
    "suggests_intervals": True,
}
SOUTH: dict[str, Any] = {
    **NORTH,
    "slug": "clinic-south",
    "name": "Clinic South",
    "day_phone": "020 7946 0732",
    "night_phone": "020 7946 0733",
    "suggests_dose_steps": False,
    "suggests_intervals": False,
}

HOURS = {"am": "10:00", "pm": "22:00", "bedtime": "22:00"}

STAFF = (
    Staff("nurse@demo.example", "Ben Lind", "nurse of Clinic North", "nurse", "clinic-north"),
    Staff(
        "doctor@demo.example", "Nadia Reed", "doctor of Clinic North, next on call", "doctor", "clinic-north", rank=2
    ),
    Staff("outsider@demo.example", "Carla Weiss", "doctor of another clinic", "doctor", "clinic-south"),
    Staff("admin@demo.example", "Eve Hart", "administrator"),
)
CARERS = (Carer("carer@demo.example", "Sam Berg", "helps Anna at home: sees and records", of="patient@demo.example"),)


def _diary(course: int, *days: tuple[str, dict[str, int]]) -> tuple[Feeling, ...]:
    """One check-in in the afternoon of each day, from day 1 on."""
    return tuple(
        Feeling(course, day, time(14, 10), celsius, symptoms) for day, (celsius, symptoms) in enumerate(days, 1)
    )


def _blood(course: int, day: int, cd4: str, percent: str, load: str, *, by_patient: bool = False) -> Draw:
    return Draw(course, day, {"cd4": cd4, "cd4_percent": percent, "hiv_rna": load}, by_patient)


_ANNA = Life(
    email="patient@demo.example",
    name="Anna Marsh",
    code="7KQM",
    birth_year=1974,
    protocol="hiv-sc-7-5",
    first_start=-3 - 2 * 56,
    in_words="patient, HIV plan, day 4 of course 3",
    facts={"companion_name": "Sam", "companion_phone": "07700 900123", "nadir_cd4": 231},
    # One hour, so that the evening injection can be tried at any hour of the day; a plan without it asks within eight.
    terms={"min_gap_hours": 1, "syringe_mark": "to the second mark", "premedication": "Paracetamol\nCetirizine"},
    open_doses=frozenset({(3, 4, "pm")}),
    without_medicines=frozenset({(1, 1, "am"), (2, 4, "pm"), (3, 2, "pm")}),
    medicines=(("Darunavir and ritonavir", "prescribed"), ("Valerian", "herbal")),
    places=(
        Place(course=1, day=3, site="tfr", kind="red", note="Warm, for two days.", gone_after=9),
        Place(course=2, day=4, site="all", kind="lump", size_mm=12, note="Hard, does not hurt."),
    ),
    draws=(
        _blood(1, -196, "388", "19", "4,100"),
        _blood(1, -105, "402", "20", "150"),
        _blood(1, -14, "422", "21", "<20"),
        _blood(1, 14, "958", "33", "64", by_patient=True),
        _blood(1, 42, "508", "24", "<20"),
        _blood(2, 21, "840", "31", "<20"),
        _blood(2, 42, "612", "27", "<20"),
    ),
    panels=laboratory.ANNA,
    expects=(Expects("diarrhoea", 1, 12, "Your new HIV tablets can cause it in the first weeks."),),
    feelings=(
        *_diary(
            1,
            ("37.4", {}),
            ("37.9", {"tired": 1, "site_red": 1}),
            ("38.3", {"tired": 1, "shivering": 1, "site_red": 1}),
            ("38.4", {"tired": 2, "shivering": 2, "nausea": 1, "site_red": 1, "itch": 1}),
            ("38.0", {"tired": 1, "shivering": 1, "lump": 1, "no_sleep": 1}),
        ),
        *_diary(
            2,
            ("37.8", {"tired": 1, "site_red": 1}),
            ("38.2", {"tired": 1, "shivering": 1, "site_red": 1}),
            ("38.5", {"tired": 2, "shivering": 2, "nausea": 1, "lump": 1, "no_sleep": 1}),
            ("38.7", {"tired": 2, "shivering": 2, "nausea": 1, "lump": 2, "no_sleep": 2}),
            ("38.4", {"tired": 2, "shivering": 1, "nausea": 2, "lump": 2, "no_sleep": 1}),
            ("37.3", {"tired": 1, "lump": 2, "itch": 1}),
            ("36.9", {"lump": 1}),
        ),
        *_diary(
            3,
            ("37.9", {"tired": 1}),
            ("38.3", {"tired": 1, "shivering": 1, "lump": 1}),
            ("38.6", {"tired": 2, "shivering": 2, "nausea": 1, "lump": 1}),
            ("38.3", {"tired": 2, "shivering": 1, "lump": 1}),
        ),
    ),
)
_DAN = Life(
    email="kidney@demo.example",
    name="Dan Hale",
    code="4TDR",
    birth_year=1961,
    protocol="kidney-5-week",
    first_start=None,
    amount="9",
    in_words="patient, kidney plan, week 2, with a change to read",
    facts={"companion_name": "Kim", "companion_phone": "07700 900456"},
    skipped={(1, 4, "bedtime"): "supplies"},
    feelings=(
        Feeling(1, 2, time(8, 40), "37.4", {"tired": 1, "site_red": 1}, kilograms="81.5", pressure="132/84"),
        Feeling(1, 3, time(8, 15), "37.6", {"tired": 2, "no_appetite": 1}, kilograms="82.3", pressure="118/72"),
        Feeling(1, 6, time(9, 5), "36.9", {"tired": 1}, kilograms="81.9", pressure="124/78"),
    ),
    change=NewAmount("6", "Little appetite and tiredness in the first week."),
)
_JOAN = Life(
    email="joan@demo.example",
    name="Joan Reed",
    code="2XDK",
    birth_year=1965,
    protocol="hiv-sc-7-5",
    first_start=-7 - 56,
    open_doses=frozenset({(2, 2, "pm"), (2, 3, "pm")}),
    draws=(
        _blood(1, -210, "306", "16", "230"),
        _blood(1, -110, "264", "14", "<50"),
        _blood(1, -14, "281", "15", "<50"),
        _blood(1, 42, "334", "17", "<50"),
    ),
    feelings=(
        *_diary(2, ("38.0", {"tired": 1}), ("38.4", {"tired": 2, "shivering": 1})),
        Feeling(
            course=2,
            day=4,
            at=time(15, 20),
            celsius="38.6",
            symptoms={"tired": 3, "shivering": 2, "nausea": 1},
            clinic_note="Rang her. In bed since yesterday, drinks enough. Dose to be discussed before course 3.",
        ),
        Feeling(2, 5, time(16, 5), "38.2", {"tired": 2}),
    ),
)
_TOM = Life(
    email="tom@demo.example",
    name="Tom Bell",
    code="9PLV",
    birth_year=1979,
    protocol="hiv-sc-7-5",
    first_start=9 - 3 * 56,
    draws=(
        _blood(1, -130, "421", "21", "<20"),
        _blood(1, -14, "449", "22", "<20"),
        _blood(1, 42, "537", "25", "<20"),
        _blood(2, 17, "1,090", "36", "<20"),
        _blood(2, 42, "604", "26", "<20"),
        Draw(3, 40, {"cd4": "655", "cd4_percent": "28"}),
    ),
    before=Before(
        answers={
            "tired": ("unsure", "Sleeping badly since the night shifts."),
            "medicine": ("yes", "Cetirizine for hay fever, since Monday."),
        },
        ready=("remedies", "ice", "sharps", "number"),
    ),
)
_RUTH = Life(
    email="ruth@demo.example",
    name="Ruth Fox",
    code="2HSW",
    birth_year=1989,
    protocol="hiv-sc-7-5",
    first_start=-24 - 56,
    earlier=(Earlier(before=56), Earlier(before=114, given=9), Earlier(before=170, stopped_after=3)),
    report=Report("infection", "Chest infection, on antibiotics for three days."),
    draws=(
        _blood(1, -190, "377", "19", "<20"),
        _blood(1, -14, "398", "20", "<20"),
        _blood(1, 42, "471", "23", "<20"),
        _blood(2, 16, "902", "34", "41"),
    ),
)
_MARK = Life(
    email="mark@demo.example",
    name="Mark Dale",
    code="7ZJF",
    birth_year=1978,
    protocol="hiv-sc-4-5",
    first_start=-4 - 56,
    skipped={(2, 4, "pm"): "ill"},
    draws=(
        _blood(1, -160, "372", "19", "<20"),
        _blood(1, -14, "353", "18", "<20"),
        _blood(1, 42, "402", "20", "<20"),
    ),
    feelings=(
        *_diary(2, ("37.6", {"tired": 1}), ("38.0", {"tired": 1, "shivering": 1}), ("38.2", {"tired": 2})),
        Feeling(
            course=2,
            day=4,
            at=time(21, 5),
            celsius="37.8",
            symptoms={"tired": 2},
            flags=("breathless",),
            pressure="96/58",
            clinic_note="Called him at 21:14. Seen by the doctor on call. Evening injection left out.",
        ),
    ),
)
_LEA = Life(
    email="lea@demo.example",
    name="Lea Stone",
    code="5WNH",
    birth_year=1983,
    protocol="hiv-sc-4-5",
    first_start=-46,
    clinic="clinic-south",
    draws=(_blood(1, -14, "417", "21", "<20"), _blood(1, 42, "498", "23", "<20")),
    before=Before(confirmed="Results seen. Come by for the syringes on the day before."),
)

LIVES = (_ANNA, _DAN, _JOAN, _TOM, _RUTH, _MARK, _LEA)
SIGN_INS: tuple[tuple[str, str, str], ...] = tuple(
    (person.email, person.name, person.in_words) for person in (*LIVES, *CARERS, *STAFF) if person.in_words
)
