"""The bundle that hospital systems read: valid FHIR, exact amounts, no invented code."""

import json
import re
from decimal import Decimal

import pytest
from fhir.resources.R4B.bundle import Bundle

from cycles.models import Injection
from il2tracker.exchange.fhir_file import HL7
from labs import units
from labs.models import LabResult
from tests.exchange.conftest import take


@pytest.fixture
def written(cast, full):
    return take(full, cast.ben, "fhir").decode()


@pytest.fixture
def resources(written):
    return [entry["resource"] for entry in json.loads(written, parse_float=Decimal)["entry"]]


def of(resources, kind):
    return [resource for resource in resources if resource["resourceType"] == kind]


def test_the_bundle_is_valid_fhir(written):
    bundle = Bundle.model_validate_json(written)
    assert bundle.type == "collection"
    assert [entry.resource.__resource_type__ for entry in bundle.entry].count("Patient") == 1


def test_it_holds_the_patient_every_result_and_every_injection(full, resources):
    assert len(of(resources, "Observation")) == LabResult.objects.standing().of(full).count()
    assert len(of(resources, "MedicationAdministration")) == Injection.objects.standing().of(full).count() == 3
    assert of(resources, "Patient")[0]["birthDate"] == "1974"


def test_every_reference_leads_to_the_patient_of_the_bundle(written, resources):
    bundle = json.loads(written)
    urls = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    assert {urls[each["subject"]["reference"]] for each in resources if "subject" in each} == {"Patient"}


def test_names_are_the_same_in_every_export(cast, full, written):
    urls = [entry["fullUrl"] for entry in json.loads(take(full, cast.ben, "fhir"))["entry"]]
    assert urls == [entry["fullUrl"] for entry in json.loads(written)["entry"]]


def test_a_number_stands_there_as_it_was_printed(written):
    assert re.search(r'"value": 5\.40\b', written)
    assert re.search(r'"value": 0\.4310\b', written)


def test_a_result_carries_sign_unit_status_range_and_mark(resources):
    by_value = {
        str(each["valueQuantity"]["value"]): each for each in of(resources, "Observation") if "valueQuantity" in each
    }
    potassium, log = by_value["5.40"], by_value["4.36"]
    assert potassium["status"] == "corrected"
    assert potassium["valueQuantity"]["code"] == "mmol/L"
    assert potassium["referenceRange"] == [{"text": "3.5-5.0"}]
    assert potassium["interpretation"][0]["coding"][0]["code"] == "H"
    assert potassium["identifier"] == [{"system": "urn:lab", "value": "K 1"}]
    assert potassium["specimen"] == {"identifier": {"value": "A-17"}}
    assert log["valueQuantity"]["code"] == "{Log10_copies}/mL"
    assert by_value["20"]["valueQuantity"]["comparator"] == "<"
    assert "code" not in by_value["300.0"]["valueQuantity"], "a unit outside the catalogue has no code of ours"


def test_mass_and_moles_have_codes_of_their_own(cast, full, resources):
    printed = {
        (each["valueQuantity"]["code"], each["code"]["coding"][0]["code"])
        for each in of(resources, "Observation")
        if "code" in each.get("valueQuantity", {}) and "coding" in each["code"]
    }
    assert {("umol/L", "14682-9"), ("{Log10_copies}/mL", "29541-0"), ("mmol/L", "2823-3")} <= printed
    assert ("{copies}/mL", "20447-9") in printed
    record = json.loads(take(full, cast.ben, "record"))["results"]
    assert {row["loinc"] for row in record if row["test"] == "creatinine"} == {"14682-9"}


def test_words_stay_words(resources):
    said = {each["valueString"] for each in of(resources, "Observation") if "valueString" in each}
    assert {"no growth\nafter 5 days", "2+", "+++"} <= said
    assert {"text": "not detected"} in [each.get("valueCodeableConcept") for each in of(resources, "Observation")]


def test_reliability_is_a_note_of_our_own_and_never_part_of_the_value(resources):
    notes = [note for each in of(resources, "Observation") for note in each.get("note", [])]
    own = [note["text"] for note in notes if note.get("authorString") == "diary"]
    assert any(text.startswith("Reliability: too soon, ") for text in own)
    potassium = next(each for each in of(resources, "Observation") if each.get("specimen"))
    assert "note" not in potassium, "safety tests are never called unreliable (H19)"


def test_amounts_are_in_international_units_and_said_in_millions_as_well(resources):
    whole, part, skipped = of(resources, "MedicationAdministration")
    assert whole["status"] == "completed"
    assert whole["dosage"]["dose"] == {
        "value": 7500000, "unit": "international units", "system": "http://unitsofmeasure.org", "code": "[iU]",
    }  # fmt: skip
    assert "7.5 million international units (MIU)" in whole["dosage"]["text"]
    assert whole["dosage"]["route"] == {"text": "under the skin"}
    assert whole["dosage"]["site"] == {"text": "right thigh, front"}
    assert (part["status"], part["dosage"]["dose"]["value"]) == ("stopped", 4125000)
    assert (skipped["status"], "dosage" in skipped) == ("not-done", False)
    assert skipped["statusReason"] == [{"text": "I felt too ill"}]


def test_the_only_codes_are_loinc_ucum_atc_and_hl7s_own(written, resources):
    systems = set(re.findall(r'"system": "([^"]+)"', written)) - {"urn:lab"}
    assert {system for system in systems if not system.startswith(HL7)} == {
        "http://loinc.org", "http://unitsofmeasure.org", "http://www.whocc.no/atc",
    }  # fmt: skip
    (drug,) = {
        each["medicationCodeableConcept"]["coding"][0]["code"] for each in of(resources, "MedicationAdministration")
    }
    assert drug == "L03AC01"


@pytest.mark.parametrize("code", sorted(units.UNITS))
def test_every_unit_of_the_catalogue_has_a_code_that_the_reader_knows_again(code):
    for rule in units.library().values():
        if code in rule.units:
            own = units.UNITS[code]
            assert units.known_unit(rule, own.words, code) == code
            assert units.known_unit(rule, own.ucum, code) == code
