"""`manage.py import_labs` with the real files."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from il2tracker.accounts.actions import create_patient
from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent
from labs import stock, uploads
from labs.management.commands.import_labs import Command
from labs.models import ImportBatch, LabResult
from labs.stock import Stock
from labs.study_actions import study_patients
from labs.undo_actions import undo_batch
from tests import factories
from tests.labs.samples import ACTG, QVIRUS_CD4, QVIRUS_VL, values, visit_dates

pytestmark = pytest.mark.django_db

STUDY = ("--create-patients", "--clinic=clinic-north", "--study=ACTG 315", "--never-treated")
FLOOR = "--floor=log10_hiv_rna=1.699:100"
QVIRUS_FLOORS = ["--floor=vl=0:20", "--floor=vl=20:20", "--floor=vl=40:40"]


def run(*arguments: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_labs", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def column_dates(path: Path) -> list[str]:
    return [f"--column-date={name}={on}" for name, on in visit_dates(path).items()]


def test_actg_goes_in_with_its_floor_told_and_a_second_time_adds_nothing(cast: factories.Cast) -> None:
    how = (ACTG, *STUDY, "--start-date=2020-01-01", FLOOR)
    out, err = run(*how)
    assert "360  new" in out
    assert err == ""
    out, _err = run(*how)
    assert "360  already there" in out
    assert "new" not in out
    assert LabResult.objects.count() == 360
    assert LabResult.history.count() == 360


def test_patient_1_of_actg_has_exactly_the_values_of_the_file(cast: factories.Cast) -> None:
    run(ACTG, f"--map=1={cast.anna_patient.code}", "--start-date=2020-01-01", FLOOR)
    with ACTG.open() as file:
        rows = [row for row in csv.DictReader(file) if row["patient"] == "1"]
    assert values(cast.anna_patient, "cd4") == [
        (row["cd4_cells_per_uL"], "=", Decimal(row["cd4_cells_per_uL"])) for row in rows
    ]
    loads = values(cast.anna_patient, "hiv_rna")
    assert [raw for raw, _sign, _value in loads] == [row["log10_hiv_rna_copies_per_ml"] for row in rows]
    assert loads[-1] == ("1.699", "<", Decimal(100))
    assert all(sign == "=" and value == Decimal(raw) for raw, sign, value in loads[:-1])
    assert not LabResult.objects.exclude(patient=cast.anna_patient).exists()


def test_qvirus_goes_in_with_a_date_for_each_visit_and_its_floors(cast: factories.Cast) -> None:
    people = (*STUDY, "--sure")
    assert "333  new" in run(QVIRUS_CD4, *people, *column_dates(QVIRUS_CD4))[0]
    assert "327  new" in run(QVIRUS_VL, *people, *column_dates(QVIRUS_VL), *QVIRUS_FLOORS)[0]
    assert Patient.objects.filter(sharings__clinic=cast.north).exclude(birth_year__isnull=False).count() == 87
    loads = LabResult.objects.filter(analyte__code="hiv_rna")
    assert not loads.filter(comparator="=", value__in=[0, 20, 40]).exists()
    assert loads.filter(comparator="<").count() == 144 + 73 + 23
    assert loads.get(value=1246403).raw == "1246403"
    assert "already there" in run(QVIRUS_VL, *people, *column_dates(QVIRUS_VL), *QVIRUS_FLOORS)[0]
    assert LabResult.objects.count() == 333 + 327


def test_without_dates_nothing_is_saved_and_every_row_says_so(cast: factories.Cast) -> None:
    out, err = run(QVIRUS_CD4, *STUDY)
    assert "333  needs a date" in out
    assert "line 2, cd_2022_1 “632”: needs a date. Say when the blood was taken." in err
    assert "… and 313 more" in err
    assert not LabResult.objects.exists()


def test_zero_is_refused_until_a_floor_is_told(cast: factories.Cast) -> None:
    out, err = run(QVIRUS_VL, *STUDY, *column_dates(QVIRUS_VL))
    assert "144  not understood" in out
    assert "0 is not what a laboratory reports" in err
    assert not LabResult.objects.filter(raw="0").exists()


def test_a_dry_run_adds_neither_results_nor_patients(cast: factories.Cast) -> None:
    before = Patient.objects.count()
    out, _err = run(ACTG, *STUDY, "--start-date=2020-01-01", "--dry-run")
    assert "344  new" in out
    assert "16  looks odd" in out, "1.699 may be a limit: nobody has said"
    assert "Nothing was added" in out
    assert (LabResult.objects.count(), Patient.objects.count(), ImportBatch.objects.count()) == (0, before, 0)


def test_each_patient_may_have_a_start_date_of_his_own(cast: factories.Cast) -> None:
    run(ACTG, f"--map=1={cast.anna_patient.code}", f"--map=2={cast.dan_patient.code}", "--start-date=2020-01-01",
        "--start-date=2=2021-06-15", FLOOR)  # fmt: skip
    first = LabResult.objects.order_by("drawn_on").first()
    assert first.drawn_on.isoformat() == "2020-01-01"
    assert first.patient == cast.anna_patient
    dans = LabResult.objects.of(cast.dan_patient).order_by("drawn_on").first()
    assert dans.drawn_on.isoformat() == "2021-06-15"


def test_a_column_with_a_name_of_its_own_can_be_told(cast: factories.Cast, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("date,Helper\n2026-01-05,0.612\n")
    run(file, f"--patient={cast.anna_patient.code}", "--analyte=Helper=cd4", "--unit=Helper=10^9/L")
    result = LabResult.objects.get()
    assert (result.unit, result.value, result.own_value) == ("giga_l", Decimal("0.612"), Decimal(612))


def test_who_entered_the_results_can_be_named(cast: factories.Cast, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("date,cd4\n2026-01-05,612\n")
    run(file, f"--patient={cast.anna_patient.code}", "--as=BEN@example.org")
    assert LabResult.objects.get().entered_by == cast.ben


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--patient=XXXX"], "no patient with the code"),
        ([], "Whose results are these"),
        (["--map=1"], "write NAME=VALUE"),
        (["--create-patients"], "needs --clinic"),
        (["--create-patients", "--clinic=none"], "needs --clinic"),
        (["--create-patients", "--clinic=clinic-north"], "needs --study NAME"),
        (["--patient=ANNA", "--start-date=soon"], "not a date"),
        (["--patient=ANNA", "--floor=1.699"], "write TEST=NUMBER:LIMIT"),
        (["--patient=ANNA", "--floor=vl=a:b"], "write TEST=NUMBER:LIMIT"),
        (["--patient=ANNA", "--floor=height=1:2"], "write TEST=NUMBER:LIMIT"),
        (["--patient=ANNA", "--analyte=x=height"], "the tests are"),
        (["--patient=ANNA", "--analyte=nowhere=cd4"], "no column “nowhere”"),
        (["--patient=ANNA", "--unit=cd4_cells_per_uL=mg"], "not a unit of this test"),
        (["--patient=ANNA", "--as=nobody@example.org"], "nobody signs in"),
    ],
)
def test_wrong_arguments_are_answered_in_words(cast: factories.Cast, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(ACTG, *(each.replace("ANNA", cast.anna_patient.code) for each in arguments))
    assert not LabResult.objects.exists()


def test_a_missing_or_unreadable_file_is_answered_in_words(cast: factories.Cast, tmp_path: Path) -> None:
    patient = f"--patient={cast.anna_patient.code}"
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.csv", patient)
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(CommandError, match="not a table of text"):
        run(tmp_path / "binary.csv", patient)


def test_a_long_file_says_how_far_it_is(cast: factories.Cast, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    lines = [f"{2000 + n // 300}-{n // 25 % 12 + 1:02}-{n % 25 + 1:02},{400 + n % 200}" for n in range(2600)]
    with file.open("w") as out:
        out.write("date,cd4,cd4_percent\n" + "\n".join(f"{line},28" for line in lines))
    out_text, _err = run(file, f"--patient={cast.anna_patient.code}")
    assert "5,000 values read" in out_text
    assert "5,200  new" in out_text


def test_no_more_results_are_in_memory_than_a_long_file_needs_at_once(
    cast: factories.Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the file itself too, which nothing had counted."""
    sizes: list[int] = []

    def bring(self: Stock, patients: Any, real: Any = Stock.bring) -> Any:
        shelf = real(self, patients)
        sizes.append(sum(map(len, shelf.days.values())))
        return shelf

    monkeypatch.setattr(Stock, "bring", bring)
    monkeypatch.setattr(stock, "MOST_KEPT", 30)
    monkeypatch.setattr(uploads, "CHUNK", 10)
    people = study_patients(by=None, clinic=cast.north, study="S", names=[str(number) for number in range(40)])
    file = tmp_path / "long.csv"
    file.write_text("patient,date,cd4\n" + "".join(
        f"{patient.code},2026-0{month}-05,612\n" for patient in people.values() for month in range(1, 6)
    ))  # fmt: skip
    assert "200  new" in run(file, "--by-code")[0]
    assert "200  already there" in run(file, "--by-code")[0]
    assert len(sizes) == 40
    assert max(sizes) <= 40


def test_patients_of_a_study_carry_its_name_and_two_studies_are_never_mixed(cast: factories.Cast) -> None:
    run(ACTG, *STUDY, "--start-date=2020-01-01", FLOOR)
    other = [each.replace("ACTG 315", "Other") for each in STUDY[:3]]
    run(ACTG, *other, "--start-date=2020-01-01", FLOOR)
    assert LabResult.objects.count() == 720
    assert Patient.objects.get(name="ACTG 315 · 1").earlier_il2 == "never"
    assert Patient.objects.get(name="Other · 1").earlier_il2 == "unknown"


def test_somebody_whom_no_import_made_is_never_taken_for_a_patient_of_a_study(cast: factories.Cast) -> None:
    create_patient(by=cast.ben, clinic=cast.north, name="ACTG 315 · 1")
    with pytest.raises(CommandError, match="not made by an import"):
        run(ACTG, *STUDY, "--start-date=2020-01-01", FLOOR)
    assert not LabResult.objects.exists()


def test_odd_values_are_left_out_with_words_until_somebody_is_sure(cast: factories.Cast, tmp_path: Path) -> None:
    file, patient = tmp_path / "own.csv", f"--patient={cast.anna_patient.code}"
    file.write_text("date,cd4\n2026-01-05,612\n2026-02-05,0.612\n2026-03-05,27\n2026-04-05,4900\n")
    out, err = run(file, patient)
    assert "1  new" in out
    assert "3  looks odd" in out
    assert "say so with --sure" in out
    assert "line 3, cd4 “0.612”: looks odd. Is 0.612 the count in 10⁹/L?" in err
    assert LabResult.objects.count() == 1
    assert "3  new" in run(file, patient, "--sure")[0]


def lonely(cast: factories.Cast, tmp_path: Path, rows: str, *more: str) -> str:
    """The name of an import that nobody owns."""
    file = tmp_path / "own.csv"
    file.write_text("date,test,value,status,result id\n" + rows)
    out, _err = run(file, f"--patient={cast.anna_patient.code}", *more)
    return re.search(r"import_labs --undo (\w{10})", out)[1]  # type: ignore[index]


def test_an_import_says_how_it_is_taken_back_and_whoever_has_the_machine_can(
    cast: factories.Cast, tmp_path: Path
) -> None:
    lonely(cast, tmp_path, "2026-01-05,cd4,612,final,a\n2026-02-05,cd4,640,final,b\n")
    second = lonely(cast, tmp_path, "2026-01-05,cd4,621,corrected,a\n2026-03-05,cd4,650,final,c\n")
    assert [float(row.value) for row in LabResult.objects.standing().order_by("drawn_on")] == [621, 640, 650]
    out, _err = run("--undo", second.upper(), "--dry-run")
    assert "Nothing was taken back" in out
    assert LabResult.objects.standing().count() == 3
    out, _err = run("--undo", second)
    assert "1  taken back" in out
    assert "1  put back" in out
    assert [float(row.value) for row in LabResult.objects.standing().order_by("drawn_on")] == [612, 640]
    event = AuditEvent.objects.get(action="labs.import.undone")
    assert (event.actor_ref, event.patient_ref, event.detail) == ("", cast.anna_patient.ref, "2 results")
    with pytest.raises(CommandError, match="taken back already"):
        run("--undo", second)


def test_who_takes_an_import_back_can_be_named(cast: factories.Cast, tmp_path: Path) -> None:
    ref = lonely(cast, tmp_path, "2026-01-05,cd4,612,final,a\n")
    run("--undo", ref, "--as=carla@example.org")
    assert AuditEvent.objects.get(action="labs.import.undone").actor_ref == cast.carla.ref
    assert ImportBatch.objects.get().undone_by == LabResult.objects.get().voided_by == cast.carla


def test_nobody_takes_back_in_the_browser_what_has_no_owner(cast: factories.Cast, tmp_path: Path) -> None:
    ref = lonely(cast, tmp_path, "2026-01-05,cd4,612,final,a\n")
    for person in (cast.ben, None):
        with pytest.raises(PermissionDenied):
            undo_batch(by=person, batch=ImportBatch.objects.get(ref=ref), now=timezone.now())
    assert LabResult.objects.standing().count() == 1


@pytest.mark.parametrize("how", [[], ["file.csv", "--undo=x"], ["--undo=nosuchname"]])
def test_a_file_or_a_name_to_take_back_is_needed_and_not_both(cast: factories.Cast, how: list[str]) -> None:
    with pytest.raises(CommandError, match=r"one of the two|no import that added anything"):
        run(*how)


def test_the_help_says_how_large_a_file_may_be() -> None:
    said = Command().create_parser("manage.py", "import_labs").format_help()
    assert "up to 20 MB" in said
    assert "any length" in " ".join(said.split())


def test_patients_of_a_study_that_are_there_are_found_together(
    cast: factories.Cast, django_assert_num_queries: Any
) -> None:
    names = [str(number) for number in range(30)]
    how = {"by": None, "clinic": cast.north, "study": "ACTG 315"}
    made = study_patients(**how, names=names)
    assert [made[name].name for name in names] == [f"ACTG 315 · {name}" for name in names]
    with django_assert_num_queries(4):  # a savepoint, the patients, what says that an import made them
        assert study_patients(**how, names=names) == made
