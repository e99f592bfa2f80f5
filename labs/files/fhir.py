"""FHIR R4 in JSON: Observations, alone, in bundles, in or beside a DiagnosticReport, or one on each line. Pure.

Each value becomes one Line; an Observation of components becomes one for each. What the file holds beside results
(a person, a specimen, a laboratory) is used where a result refers to it; everything else is left out in words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from labs import catalogue
from labs.files import fhir_json, fhir_values, not_blood
from labs.files.candidates import OTHER, Line, Status, identity
from labs.files.fhir_context import LONGEST_ID, LONGEST_NAME, Context, shortened
from labs.files.fhir_json import Placed, concept, mapping, sequence, text
from labs.units import Rule

LOINC = {"http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"}  # the last one: its OID in HL7
LONGEST_NOTE = 2000
NO_BLOOD_RESULT = "This is not a blood result."
NOT_SENT = "The report names this result, but the result itself is not in this file."
USED = {"Patient", "Practitioner", "PractitionerRole", "Organization", "Specimen", "Device", "Encounter",
        "ServiceRequest", "Provenance", "Location"}  # fmt: skip
NO_LABORATORY = {"vital-signs", "social-history", "survey", "exam", "imaging", "activity", "therapy", "procedure"}


def lines(data: bytes, rules: Mapping[str, Rule]) -> Iterator[Line]:
    """Every result of the file with what becomes of it, in the file's order. Raises FileError for what is no FHIR.

    `rules` holds the rule of every test by its code, with that of OTHER.
    """
    return _numbered(_lines(Context(fhir_json.read(data)), rules))


def _numbered(found: Iterator[Line]) -> Iterator[Line]:
    """The results that stand in one place, told apart by their number in it."""
    for _place, group in groupby(found, lambda line: line.line):
        together = list(group)
        yield from together if len(together) == 1 else [replace(each, part=n) for n, each in enumerate(together, 1)]


def _lines(context: Context, rules: Mapping[str, Rule]) -> Iterator[Line]:
    left_out: dict[str, list[int]] = {}
    results = 0
    for placed in context.content.placed:
        if placed.problem:
            yield Line(placed.line, "", "", "", Status.NOT_UNDERSTOOD, placed.problem)
        elif placed.kind in {"Observation", "DiagnosticReport"}:
            results += 1
            yield from _results(context, placed, rules)
        else:
            left_out.setdefault(placed.kind, []).append(placed.line)
    for kind, places in left_out.items():
        if kind not in USED or not results:
            words = f"{len(places)} × {kind[:LONGEST_NAME]}: not a blood result, left out."
            yield Line(places[0], "", kind[:LONGEST_NAME], "", Status.SKIPPED, words)


def _results(context: Context, placed: Placed, rules: Mapping[str, Rule]) -> Iterator[Line]:
    """What an Observation or a report holds, and what it only names."""
    is_report = placed.kind == "DiagnosticReport"
    inside = [each for each in fhir_json.contained(placed) if each.kind == "Observation"]
    if not is_report:
        yield from _observation(context, placed, context.reports.get(id(placed.resource)), rules)
    for each in inside:
        yield from _observation(context, each, placed if is_report else None, rules)
    named = sequence(placed.resource.get("result" if is_report else "hasMember"))
    base = context.line(placed, None)
    for reference in named:
        if context.content.find(reference, placed) is None:
            name = text(mapping(reference).get("display")) or text(mapping(reference).get("reference"))
            yield replace(base, name=name[:LONGEST_NAME], status=Status.NOT_UNDERSTOOD, reason=NOT_SENT)
    if is_report and not named and not inside:
        yield replace(base, status=Status.NOT_UNDERSTOOD, reason="This report holds no results.")


def _observation(context: Context, placed: Placed, report: Placed | None, rules: Mapping[str, Rule]) -> Iterator[Line]:
    own, base = placed.resource, context.line(placed, report)
    if not is_laboratory(own):
        yield replace(base, status=Status.SKIPPED, reason=NO_BLOOD_RESULT)
        return
    when, undated = context.when(placed, report)
    base = replace(base, on=when.on, at=when.at, moment=when.moment)
    material, called = context.material(placed), concept(own.get("code"))
    remark = fhir_values.flag_of(own)[1] if "component" in own else ""
    notes = [*fhir_values.notes_of(own), *([remark] if remark else [])]
    for part, name, external_id in _parts(own, base):
        line = replace(base, name=shortened(name, LONGEST_NAME), external_id=identity(external_id, LONGEST_ID))
        rule = rules[OTHER] if not_blood.is_named(called) else rule_of(part, material, rules)
        if rule.code == OTHER and (fact := not_blood.fact(_loincs(part), _unit(part))):
            yield replace(line, status=Status.SKIPPED, reason=fact)
            continue
        yield _judged(*_read(line, part, rule, rules[OTHER], notes), undated)


def _parts(own: Mapping[str, Any], base: Line) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """The Observation itself, unless it is only the head of others, then its components: with name and identity."""
    components = [mapping(each) for each in sequence(own.get("component"))]
    is_head = bool(components or sequence(own.get("hasMember")))
    if not is_head or own.get("dataAbsentReason") or any(name.startswith("value") for name in own):
        yield own, base.name, base.external_id
    for number, part in enumerate(components, 1):
        name = concept(part.get("code"))
        coded = sequence(mapping(part.get("code")).get("coding"))
        external_id = f"{base.external_id}#{number}" if base.external_id else ""
        yield part, name if coded else f"{base.name}: {name}", external_id


def _read(line: Line, part: Mapping[str, Any], rule: Rule, other: Rule, notes: list[str]) -> tuple[Line, str, str]:
    """The line with its value and what stands beside it; what is wrong with the value; why there is none."""
    value = fhir_values.value_of(part, rule, notes)
    if value.reading and value.reading.value is not None and not value.reading.unit and not _loincs(part):
        rule = other  # known by its name alone, in a unit of another test: "Lymphocytes, 30 %"
        value = fhir_values.value_of(part, rule, notes)
    (flag, remark), (printed, ranges) = fhir_values.flag_of(part), fhir_values.range_of(part)
    note = "\n".join(said for said in (*notes, remark, ranges) if said)
    line = replace(
        line,
        raw=value.raw[:60],
        analyte=rule.code,
        reading=value.reading,
        flag=flag,
        printed_range=printed,
        note=shortened(note, LONGEST_NOTE),
    )
    return line, value.problem, concept(part.get("dataAbsentReason"))


def _judged(line: Line, problem: str, absent: str, undated: str) -> Line:
    """The line with its verdict: taken back by the laboratory, not to be read, without a value, without a day."""
    if line.status is not Status.READY:
        return replace(line, reason=f"{line.reason} {absent}".strip())
    if problem:
        return replace(line, status=Status.NOT_UNDERSTOOD, reason=problem, reading=None)
    if line.reading is None:
        why = f"The laboratory gave no value: {absent}." if absent else "There is no value in it."
        return replace(line, status=Status.PENDING, reason=why)
    return replace(line, status=Status.NEEDS_DATE, reason=undated) if undated else line


# Which test


def is_laboratory(observation: Mapping[str, Any]) -> bool:
    """Whether it can be a result of a laboratory: by its categories, without any by not being a vital sign."""
    said = [mapping(c) for each in sequence(observation.get("category")) for c in sequence(mapping(each).get("coding"))]
    codes = {text(coding.get("code")).casefold() for coding in said}
    if codes & {"laboratory", "lab"}:
        return True
    return not codes & NO_LABORATORY and not set(_loincs(observation)) & not_blood.FACTS.keys()


def rule_of(part: Mapping[str, Any], material: str, rules: Mapping[str, Rule]) -> Rule:
    """The test that this is: by LOINC, without one by what it is called; never that of blood for another material."""
    if not_blood.is_specimen(material) or not_blood.is_named(" ".join(_names(part))):
        return rules[OTHER]
    return rules.get(catalogue.meant(_loincs(part), _names(part), _unit(part)) or OTHER, rules[OTHER])


def _unit(part: Mapping[str, Any]) -> str:
    quantity = mapping(part.get("valueQuantity"))
    return text(quantity.get("unit")) or text(quantity.get("code"))


def _loincs(part: Mapping[str, Any]) -> list[str]:
    codings = [mapping(each) for each in sequence(mapping(part.get("code")).get("coding"))]
    said = [text(coding.get("code")) for coding in codings if text(coding.get("system")).rstrip("/") in LOINC]
    return [code for code in said if code]


def _names(part: Mapping[str, Any]) -> list[str]:
    code = mapping(part.get("code"))
    codings = [text(mapping(each).get("display")) for each in sequence(code.get("coding"))]
    return [name for name in (text(code.get("text")), *codings) if name]
