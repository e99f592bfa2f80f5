import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import catalogue
from labs.files import fhir
from labs.files.candidates import OTHER
from labs.units import LIBRARY, SAME, UNITS, library
from tests.labs import hl7_samples

ROWS = json.loads(LIBRARY.read_text("utf-8"))
RULES = library()
TESTS = [row for row in ROWS if row["code"] != OTHER]
ALL = [
    *("cd4", "cd4_percent", "cd4_cd8_ratio", "hiv_rna", "alt", "ast", "alp", "bilirubin", "albumin", "creatinine"),
    *("urea", "potassium", "sodium", "magnesium", "calcium", "calcium_ionised", "phosphate", "red_cells", "hematocrit"),
    *("hemoglobin", "white_cells", "neutrophils", "lymphocytes", "eosinophils", "platelets", "tsh", "free_t4"),
    *("glucose", "hba1c", "lactate", "other"),
]
TYPICAL = {  # domain D3.5, illustration only: what a healthy adult has is never asked about
    "cd4": (500, 1500), "cd4_percent": (30, 60), "cd4_cd8_ratio": (1, 3), "alt": (7, 55), "ast": (8, 48),
    "alp": (40, 130), "bilirubin": ("0.1", "1.2"), "albumin": ("3.5", "5.0"), "creatinine": ("0.6", "1.3"),
    "urea": (7, 20), "potassium": ("3.5", "5.0"), "sodium": (136, 145), "magnesium": ("1.7", "2.4"),
    "calcium": ("8.5", "10.5"), "calcium_ionised": ("1.15", "1.3"), "phosphate": ("2.5", "4.5"),
    "red_cells": ("4.0", "5.9"), "hematocrit": (36, 50), "hemoglobin": (12, 17), "white_cells": (4, 11),
    "neutrophils": ("1.8", "7.5"), "lymphocytes": (1, 4), "eosinophils": (0, "0.5"), "platelets": (150, 400),
    "tsh": ("0.4", "4.5"), "free_t4": ("0.8", "1.8"), "glucose": (70, 140), "hba1c": (4, "5.7"),
    "lactate": ("0.5", "2.0"),
}  # fmt: skip
HARD = {  # domain D3.5
    "cd4": (0, 5000), "cd4_percent": (0, 100), "cd4_cd8_ratio": (0, 20), "hiv_rna": (1, 10**9), "alt": (1, 20000),
    "ast": (1, 20000), "alp": (1, 20000), "bilirubin": ("0.05", 60), "albumin": ("0.5", 8), "creatinine": ("0.1", 30),
    "urea": (1, 300), "potassium": (1, 12), "sodium": (90, 200), "magnesium": ("0.2", 15), "calcium": (3, 25),
    "phosphate": ("0.2", 25), "red_cells": ("0.5", 10), "hematocrit": (5, 75), "hemoglobin": (2, 25),
    "white_cells": (0, 500), "neutrophils": (0, 500), "lymphocytes": (0, 500), "eosinophils": (0, 500),
    "platelets": (0, 3000), "tsh": (0, 500), "free_t4": (0, 20), "glucose": (10, 2000), "hba1c": (2, 25),
    "lactate": (0, 40),
}  # fmt: skip
MISPRINTED = {"29541-4"}  # so in D3.5; its check digit is 0


def check_digit(loinc: str) -> int:
    """The digit behind the hyphen, by the rule of LOINC."""
    digits = loinc.split("-", maxsplit=1)[0][::-1]
    doubled = digits[1::2] + str(int(digits[0::2]) * 2)
    return -sum(map(int, doubled)) % 10


def test_every_test_of_the_domain_is_there_in_its_order():
    assert [row["code"] for row in ROWS] == ALL
    assert [row["position"] for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert {row["group"] for row in ROWS} == {
        "immune", "liver", "kidney", "salts", "blood", "thyroid", "sugar", "other",
    }  # fmt: skip


@pytest.mark.parametrize("row", TESTS, ids=lambda row: row["code"])
def test_a_row_of_the_catalogue_is_whole(row):
    rule = RULES[row["code"]]
    assert rule.hard_low <= rule.soft_low < rule.soft_high <= rule.hard_high
    assert rule.units[0] == rule.canonical_unit
    assert rule.factors[rule.canonical_unit] == SAME
    assert set(rule.units) <= set(UNITS)
    assert rule.jump is None or rule.jump > 1
    assert set(row["loinc_units"]) <= set(rule.units)
    assert all((row["loinc"], row["synonyms"], row["source"]))


@pytest.mark.parametrize(("code", "bounds"), HARD.items())
def test_the_hard_bounds_are_those_of_the_domain(code, bounds):
    assert (RULES[code].hard_low, RULES[code].hard_high) == tuple(map(Decimal, bounds))


@pytest.mark.parametrize(("code", "limits"), TYPICAL.items())
def test_what_is_usual_is_never_asked_about(code, limits):
    low, high = map(Decimal, limits)
    assert RULES[code].soft_low <= low < high <= RULES[code].soft_high


def test_only_what_il2_disturbs_depends_on_timing():
    """H19: a safety test is never called unreliable."""
    assert [code for code, rule in RULES.items() if rule.timing_matters] == [
        "cd4", "cd4_percent", "cd4_cd8_ratio", "hiv_rna",
    ]  # fmt: skip


def test_the_last_row_takes_every_other_test_as_it_is_printed():
    other = RULES[OTHER]
    assert (other.units, other.canonical_unit, other.jump, other.timing_matters) == ((), "", None, False)
    assert other.hard_low < -(10**13) < 10**13 < other.hard_high
    assert list(RULES)[-1] == OTHER


# LOINC


def test_no_loinc_means_two_tests_and_each_has_a_right_check_digit():
    codes = [(loinc, row["code"]) for row in ROWS for loinc in {row["loinc"], *row["loincs"]} if loinc]
    assert len({loinc for loinc, _ in codes}) == len(codes)
    every = {loinc for loinc, _ in codes} | {loinc for row in ROWS for loinc in row["loinc_units"].values()}
    assert {loinc for loinc in every if check_digit(loinc) != int(loinc[-1])} == MISPRINTED


@pytest.mark.parametrize(
    ("loinc", "code"),
    [
        ("24467-3", "cd4"), ("8123-2", "cd4_percent"), ("54218-3", "cd4_cd8_ratio"), ("20447-9", "hiv_rna"),
        ("25836-8", "hiv_rna"), ("29541-0", "hiv_rna"), ("29541-4", "hiv_rna"), ("1742-6", "alt"), ("1920-8", "ast"),
        ("6768-6", "alp"), ("1975-2", "bilirubin"), ("14631-6", "bilirubin"), ("1751-7", "albumin"),
        ("2160-0", "creatinine"), ("14682-9", "creatinine"), ("3094-0", "urea"), ("22664-7", "urea"),
        ("2823-3", "potassium"), ("2951-2", "sodium"), ("19123-9", "magnesium"), ("2601-3", "magnesium"),
        ("17861-6", "calcium"), ("2000-8", "calcium"), ("1994-3", "calcium_ionised"), ("2777-1", "phosphate"),
        ("14879-1", "phosphate"), ("789-8", "red_cells"), ("4544-3", "hematocrit"), ("718-7", "hemoglobin"),
        ("6690-2", "white_cells"), ("751-8", "neutrophils"), ("731-0", "lymphocytes"), ("711-2", "eosinophils"),
        ("777-3", "platelets"), ("3016-3", "tsh"), ("3024-7", "free_t4"), ("14920-3", "free_t4"), ("2345-7", "glucose"),
        ("4548-4", "hba1c"), ("32693-4", "lactate"), (" 718-7 ", "hemoglobin"),
        ("3091-6", None), ("2075-0", None), ("770-8", None), ("", None), ("718", None),
    ],
)  # fmt: skip
def test_a_loinc_names_its_test(loinc, code):
    assert catalogue.by_loinc(loinc) == code


@pytest.mark.parametrize(
    ("loinc", "unit", "code"),
    [
        ("3094-0", "mg/dL", "urea"),
        ("3094-0", "mmol/L", "urea"),
        ("22664-7", "mmol/L", "urea"),
        ("22664-7", "mg/dL", None),
        ("22664-7", "", "urea"),
        ("3091-6", "mg/dL", None),
        ("3091-6", "", None),
        ("3091-6", "mg/dL of urea", "urea"),
    ],
)
def test_a_code_of_urea_in_a_unit_of_nitrogen_is_neither(loinc, unit, code):
    assert catalogue.by_loinc(loinc, unit) == code


@pytest.mark.parametrize(
    ("code", "unit", "loinc"),
    [
        ("creatinine", "mg_dl", "2160-0"),
        ("creatinine", "umol_l", "14682-9"),
        ("urea", "bun_mg_dl", "3094-0"),
        ("urea", "mmol_l", "22664-7"),
        ("urea", "urea_mg_dl", "3091-6"),
        ("hiv_rna", "copies_ml", "20447-9"),
        ("hiv_rna", "log10_copies_ml", "29541-0"),
        ("hba1c", "mmol_mol", "59261-8"),
        ("hemoglobin", "g_l", "718-7"),
        ("cd4", "", "24467-3"),
        ("other", "", ""),
        ("no such test", "", ""),
    ],
)
def test_mass_and_moles_have_codes_of_their_own(code, unit, loinc):
    assert catalogue.loinc_of(code, unit) == loinc


# Names


def test_no_name_means_two_tests_and_none_means_nothing():
    names = list(catalogue.names())
    assert all(words for words, _ in names)
    meant = {words: {code for other, code in names if other == words} for words, _ in names}
    assert {words: codes for words, codes in meant.items() if len(codes) > 1} == {}


@pytest.mark.parametrize("row", TESTS, ids=lambda row: row["code"])
def test_every_name_in_the_catalogue_leads_to_its_test(row):
    assert {catalogue.test_called(name) for name in (row["name"], *row["synonyms"])} == {row["code"]}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        (
            "cd4",
            "CD4|CD4+|CD4 count|CD4+ count|CD4 cells|CD4 Abs|Absolute CD4|ABS CD4 COUNT|T-helper (CD4) abs",
        ),
        (
            "cd4",
            "CD4+ T-cells|CD3+CD4+|CD3+CD4+ Abs|CD4_count|CD4 T-Lymphocytes|Helper T-Lymph (CD4)|T helper cells",
        ),
        ("cd4", "CD3+CD4+ (T4 helper) cells [#/volume] in Blood"),
        ("cd4_percent", "CD4 %|CD4%|% CD4|CD4+ %|CD4 percentage|cd4_percent|CD4 pct|T-helper (CD4) %|CD4 Perc."),
        ("cd4_cd8_ratio", "CD4/CD8|CD4:CD8|CD4/CD8 ratio|CD4:CD8 Ratio|CD4+/CD8+|Helper/Suppressor ratio"),
        (
            "hiv_rna",
            "Viral load|VL|HIV-1 RNA|HIV RNA|HIV 1 RNA Quant|HIV-1 RNA, Quantitative|HIV viral load|HIV-1 VIRAL LOAD",
        ),
        ("hiv_rna", "HIV-1 RNA, PCR|log10 HIV RNA|HIV-1 RNA, log10"),
        (
            "alt",
            "ALT|SGPT|ALT (SGPT)|SGPT (ALT)|ALAT|GPT|Alanine aminotransferase|ALANINE AMINOTRANSFERASE (ALT)|S-ALT",
        ),
        ("ast", "AST|SGOT|AST (SGOT)|ASAT|Aspartate transaminase"),
        ("alp", "ALP|Alk Phos|ALK PHOS|Alkaline Phosphatase|ALKP|Alkaline phosphatase, serum"),
        (
            "bilirubin",
            "Bilirubin|Total Bilirubin|Bilirubin, total|T. Bili|TBIL|Bilirubin.total [Mass/volume] in Serum or Plasma",
        ),
        ("albumin", "Albumin|ALB|Albumin, serum|S-Albumin"),
        ("creatinine", "Creatinine|Creat|CREA|Creatinine, Serum|S-Creatinine|Creatinine [Mass/volume] in Blood"),
        ("urea", "BUN|Urea nitrogen|Blood urea nitrogen|Urea Nitrogen (BUN)|UREA N"),
        ("potassium", "Potassium|K|K+|S-Potassium|Potassium, plasma|P-Kalium"),
        ("sodium", "Sodium|Na|Na+|Sodium, Serum"),
        ("magnesium", "Magnesium|Mg|MG++"),
        ("calcium", "Calcium|Ca|Calcium, total|Total calcium"),
        ("calcium_ionised", "Ionized calcium|Calcium, ionised|iCa|Calcium.ionized [Moles/volume] in Blood"),
        ("phosphate", "Phosphate|Phosphorus|PHOS|PO4|Inorganic phosphate"),
        (
            "red_cells",
            "RBC|Red blood cells|Red Blood Cell Count|Erythrocytes|Red cells|Red Blood Cell (RBC) Count, Blood",
        ),
        ("hematocrit", "HCT|Hematocrit|Haematocrit|PCV|Hematocrit, Blood"),
        ("hemoglobin", "HGB|Hb|Hgb|Hemoglobin|Haemoglobin|B-Hemoglobin|Hemoglobin [Mass/volume] in Blood"),
        ("white_cells", "WBC|White blood cells|WCC|Leukocytes|Leucocytes|White blood cell (WBC) count, Blood"),
        (
            "neutrophils",
            "ANC|Neutrophils|Neutrophils, Absolute|Absolute Neutrophil Count|NEUT#|Neut abs|Neutrophils (Absolute)",
        ),
        ("lymphocytes", "ALC|Lymphocytes|Lymphs|Lymphs (Absolute)|LYMPH #|Absolute lymphocytes"),
        ("eosinophils", "Eosinophils|Eos|EOS #|Eos (Absolute)|Absolute Eosinophils"),
        ("platelets", "PLT|Platelets|Platelet count|Thrombocytes|Platelet Count, Blood"),
        ("tsh", "TSH|Thyroid stimulating hormone|Thyrotropin"),
        ("free_t4", "Free T4|FT4|T4, Free|Thyroxine, free|T4,Free (Direct)"),
        ("glucose", "Glucose|GLU|Blood glucose|Glucose, fasting|Glucose, Serum"),
        ("hba1c", "HbA1c|Hemoglobin A1c|A1C|Hb A1c|Glycated haemoglobin|Hemoglobin A1c/Hemoglobin.total in Blood"),
        ("lactate", "Lactate|Lactic acid|Lactate, venous"),
    ],
)
def test_a_test_is_known_however_a_laboratory_writes_it(code, written):
    assert {name: catalogue.test_called(name) for name in written.split("|")} == dict.fromkeys(written.split("|"), code)


@pytest.mark.parametrize(
    "name",
    [
        "", "   ", "Blood", "Count", "%", "CD8", "CD8 count", "CD3", "CD4+CD8+", "CD8/CD4 ratio",
        "Suppressor/helper ratio", "Creatinine, urine", "Urine creatinine", "Creatinine clearance",
        "Albumin/creatinine ratio", "Glucose, CSF", "Glucose, urine", "Hemoglobin S", "Hemoglobin F",
        "Bilirubin, direct", "Direct bilirubin", "Lymphocytes %", "Neutrophils/100 leukocytes in Blood",
        "Neutrophils %", "Eos %", "Reticulocytes", "MCV", "MCHC", "RDW", "T4", "T4, total", "Free T3", "Prealbumin",
        "HIV-1 antibody", "HIV-1 RNA qualitative", "HIV 2 RNA", "Hepatitis C RNA", "BUN/Creatinine ratio", "Urea",
        "Uric acid", "Vitamin K", "Protein S", "Mean platelet volume", "other", "Another test", "Parathyroid hormone",
        "Occult blood", "Sodium, urine", "Red cell distribution width", "White cells in urine", "A" * 500,
    ],
)  # fmt: skip
def test_another_test_is_not_taken_for_one_of_ours(name):
    assert catalogue.test_called(name) is None


@pytest.mark.parametrize(
    ("name", "unit", "code"),
    [
        ("Urea", "mmol/L", "urea"),
        ("S-Urea", "mmol/L", "urea"),
        ("Urea", "mg/dL", None),
        ("Urea", "", None),
        ("BUN", "mg/dL", "urea"),
        ("CD4", "%", "cd4_percent"),
        ("T-helper (CD4)", "%", "cd4_percent"),
        ("CD4", "cells/µL", "cd4"),
        ("Lymphocytes", "%", None),
        ("Neutrophils", "percent", None),
        ("Hematocrit", "%", "hematocrit"),
        ("HbA1c", "%", "hba1c"),
        ("Hemoglobin", "%", None),
    ],
)
def test_the_unit_beside_a_name_says_which_test_it_is(name, unit, code):
    assert catalogue.test_called(name, unit) == code


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_name_breaks_the_search(name, unit):
    assert catalogue.test_called(name, unit) in {None, *ALL}
    assert catalogue.by_loinc(name) in {None, *ALL}


# In files


@pytest.mark.parametrize(
    ("loinc", "name", "unit", "expected"),
    [
        ("3094-0", "BUN", "mg/dL", ("urea", "bun_mg_dl")),
        ("22664-7", "Urea", "mmol/L", ("urea", "mmol_l")),
        ("22664-7", "Urea", "mg/dL", (OTHER, "")),
        ("3091-6", "Urea", "mg/dL", (OTHER, "")),
    ],
)
def test_urea_in_a_file_is_never_taken_for_its_nitrogen(loinc, name, unit, expected):
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}], "text": name},
        "effectiveDateTime": "2026-11-04",
        "valueQuantity": {"value": 12, "unit": unit},
    }
    (resource,) = fhir.lines(json.dumps(observation).encode(), RULES)
    segment = hl7_samples.one(hl7_samples.obx(f"{loinc}^{name}^LN", "NM", "12", unit))
    assert (resource.analyte, resource.reading.unit) == expected
    assert (segment.analyte, segment.reading.unit) == expected
