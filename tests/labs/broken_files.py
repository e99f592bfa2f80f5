"""Files that are no good, one way each: by name, the bytes, and what of them may be stored (test and value as written).

Most of them hold nothing that may be stored. Where one does, the good row stands beside the broken one.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from typing import Any

from tests.labs.hl7_samples import CD4, LOAD, POTASSIUM, message, msh, obx

Stored = list[tuple[str, str]]
Case = tuple[bytes, Stored]
GOOD, OTHER = [("cd4", "612")], [("other", "612")]
HEADER = "date,cd4\n"
NEXT_TO_GOOD = HEADER + "2026-01-05,612\n"


def table(text: str, *stored: tuple[str, str], encoding: str = "utf-8") -> Case:
    """A table as text."""
    return text.encode(encoding), list(stored)


def beside(row: str) -> Case:
    """A broken row under a good one."""
    return (NEXT_TO_GOOD + row).encode(), GOOD


def zipped(name: str, content: bytes) -> bytes:
    """An archive with one file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TABLES: dict[str, Case] = {
    "empty": (b"", []),
    "blank lines": (b"\n\r\n  \n", []),
    "a byte order mark alone": (b"\xef\xbb\xbf", []),
    "only a header": table(HEADER),
    "no header": table("2026-01-05,612\n2026-02-05,640\n"),
    "a header without a test": table("date,colour\n2026-01-05,blue\n"),
    "a column name twice": table("date,cd4,cd4\n2026-01-05,x,y\n"),
    "nameless columns": table(",,,\n2026-01-05,612,,\n"),
    "ten thousand columns": table(",".join(f"c{n}" for n in range(10_000)) + "\n" + "1," * 9_999 + "1\n"),
    "a null in a cell": beside("2026-02-05,6\x0040\n"),
    "a null in the header": (b"date,c\0d4\n2026-01-05,612\n", []),
    "nothing but nulls": (bytes(4_000), []),
    "every byte": (bytes(range(256)) * 20, []),
    "UTF-16": table(NEXT_TO_GOOD, encoding="utf-16"),
    "UTF-16 without a mark": table(NEXT_TO_GOOD, encoding="utf-16-be"),
    "UTF-32": table(NEXT_TO_GOOD, encoding="utf-32"),
    "Latin-1 in a cell": (NEXT_TO_GOOD.encode() + b"2026-02-05,6\xb540\n", GOOD),
    "Latin-1 in the header": (b"date,cd4,f\xfcr\n2026-02-05,x,\n", []),
    "overlong UTF-8": (NEXT_TO_GOOD.encode() + b"2026-02-05,\xc0\xb6\xc0\xb4\xc0\xb0\n", GOOD),
    "surrogates": (NEXT_TO_GOOD.encode() + b"2026-02-05,6\xed\xa0\x8040\n", GOOD),
    "a quote that does not close": beside('2026-02-05,"640\n2026-03-05,650\n'),
    "a quote in the header that does not close": table('"date,cd4\n2026-01-05,612\n'),
    "a bare quote": beside('2026-02-05,6"40\n'),
    "text behind a quote": beside('2026-02-05,"640"1\n'),
    "a truncated row": beside("2026-02-"),
    "a row that is too long": beside("2026-02-05,640,1,2,3\n"),
    "a huge cell": beside("2026-02-05," + "6" * 200_000 + "\n"),
    "a long number": beside("2026-02-05," + "6" * 5_000 + "\n"),
    "a long date": beside("1" * 5_000 + ",640\n"),
    "dates that do not exist": beside("2026-02-30,640\n0000-00-00,650\n2026-13-01,660\n31/31/2026,670\n"),
    "dates out of reach": beside("9999-12-31,640\n0001-01-01,650\n10000-01-01,660\n1850-01-01,670\n"),
    "moments out of reach": beside("9999-12-31 23:59,640\n0001-01-01 00:00,650\n9999-12-31T23:59:59-12:00,660\n"),
    "numbers that are none": beside("".join(f"2026-02-05,{n}\n" for n in ("NaN", "inf", "-1", "1e999", "0x10", "1_0"))),
    "digits of other scripts": beside("2026-02-05,٦٤٠\n2026-02-06,６４０\n2026-02-07,64²\n"),
    "a number with a hidden space": beside("2026-02-05,6\u200b40\n"),
    "a number turned round": beside("2026-02-05,\u202e046\u202c\n"),
    "formulas": beside(
        '=1+1,=CMD()\n2026-02-05,"=HYPERLINK(""http://x"",""612"")"\n2026-02-06,@SUM(1)\n2026-02-07,+6+4\n'
    ),
    "HTML": beside("<b>2026-02-05</b>,<script>alert(640)</script>\n"),
    "SQL": beside("2026-02-05,640'; DROP TABLE labs_labresult; --\n"),
    "decimal commas under commas": beside("2026-02-05,640,5\n"),
    "line ends of three kinds": (b"date,cd4\r\n2026-01-05,612\n2026-02-30,1\r", GOOD),
    "a second header in the middle": beside(HEADER),
    "a byte order mark in the middle": beside("\ufeff2026-02-05,x\n"),
    "control characters": beside("2026-02-05,6\x0740\n2026-02-06,6\x1b[31m40\n"),
}
BINARIES: dict[str, Case] = {
    "PNG": (PNG, []),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4, []),
    "GIF": (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00;", []),
    "PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", []),
    "an archive": (zipped("results.csv", NEXT_TO_GOOD.encode()), []),
    "a workbook": (zipped("xl/workbook.xml", b"<workbook/>"), []),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), []),
    "gzip": (gzip.compress(NEXT_TO_GOOD.encode(), mtime=0), []),
    "SQLite": (b"SQLite format 3\0" + bytes(84), []),
    "XML": (b"<?xml version='1.0'?><ClinicalDocument><value value='612'/></ClinicalDocument>", []),
    "a web page": (b"<!doctype html><title>Results</title><table><tr><td>CD4<td>612</table>", []),
    "a letter": (b"Dear Anna,\nyour CD4+ count was 612 on 5 January 2026.\n", []),
    "an e-mail": (b"From: lab@example.org\nSubject: Results\n\ncd4: 612\n", []),
    "rich text": (rb"{\rtf1\ansi CD4 612}", []),
}


OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "24467-3", "display": "CD4 count"}]},
    "effectiveDateTime": "2026-01-05",
    "valueQuantity": {"value": 612, "unit": "cells/uL", "system": "http://unitsofmeasure.org", "code": "/uL"},
}


def fhir(**changes: Any) -> Case:
    """A broken Observation beside a good one, in a Bundle."""
    broken = {**OBSERVATION, "effectiveDateTime": "2026-02-05", **changes}
    entries = [{"resource": OBSERVATION}, {"resource": broken}]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode(), GOOD


def alone(resource: Any) -> Case:
    """Anything as JSON."""
    return json.dumps(resource).encode(), []


def nested(depth: int) -> Any:
    """A Bundle in a Bundle in a Bundle …"""
    return '{"resourceType":"Bundle","entry":[{"resource":' * depth + "{}" + "}]}" * depth


WRONG = (None, 7, "x", True, [], {}, [[]], [None], {"coding": 7}, [{"coding": [None, 7, "x", {"code": 7}]}])
AROUND = ("note", "referenceRange", "interpretation", "specimen", "performer", "identifier", "component", "meta")
RESOURCES: dict[str, Case] = {
    "an empty object": alone({}),
    "an empty list": alone([]),
    "a JSON null": (b"null", []),
    "a JSON number": (b"612", []),
    "a JSON text": (b'"612"', []),
    "JSON that is cut": (json.dumps(OBSERVATION).encode()[:-40], []),
    "JSON with a comma too many": (b'{"resourceType":"Observation",}', []),
    "JSON with a comment": (b'{"resourceType":"Observation" /* 612 */}', []),
    "JSON in lines": (b'{"resourceType":"Patient"}\n{"resourceType":"Observation"}\n', []),
    "JSON in UTF-16": (json.dumps(OBSERVATION).encode("utf-16"), []),
    "JSON in Latin-1": (b'{"resourceType":"Observation","note":"\xfc"}', []),
    "JSON with nulls": (b'{"resourceType":\0"Observation"}', []),
    "deep lists": (b"[" * 100_000, []),
    "deep lists that close": (b"[" * 50_000 + b"]" * 50_000, []),
    "deep objects": (b'{"a":' * 50_000, []),
    "deep Bundles": (nested(500).encode(), []),
    "a number of five thousand digits": (json.dumps(OBSERVATION).replace("612", "6" * 5_000).encode(), []),
    "a number that is none": (json.dumps(OBSERVATION).replace("612", "NaN").encode(), []),
    "an endless number": (json.dumps(OBSERVATION).replace("612", "Infinity").encode(), []),
    "a number out of reach": (json.dumps(OBSERVATION).replace("612", "1e400").encode(), []),
    "a number next to nothing": (json.dumps(OBSERVATION).replace("612", "1e-400").encode(), []),
    "a huge exponent": (json.dumps(OBSERVATION).replace("612", "1e999999999999").encode(), []),
    "half a letter": (json.dumps(OBSERVATION).replace("CD4 count", "\\ud800").replace("24467-3", "x").encode(), OTHER),
    "a null letter": (json.dumps(OBSERVATION).replace("cells/uL", "a\\u0000b").replace("2026", "x").encode(), []),
    "the same key twice": (b'{"resourceType":"Observation","status":"final","status":"cancelled"}', []),
    "another resource": alone({"resourceType": "Patient", "name": "x", "birthDate": 7}),
    "an unknown resource": alone({"resourceType": "Spaceship"}),
    "a resource type that is a list": alone({"resourceType": ["Observation"]}),
    "a Bundle without entries": alone({"resourceType": "Bundle"}),
    "a Bundle of rubbish": alone({"resourceType": "Bundle", "entry": [None, 7, "x", [], {"resource": 7}, {"a": []}]}),
    "a Bundle whose entries are an object": alone({"resourceType": "Bundle", "entry": {"resource": OBSERVATION}}),
    "a report that names itself": alone(
        {"resourceType": "DiagnosticReport", "id": "1", "result": [{"reference": "DiagnosticReport/1"}]}
    ),
    "a report of rubbish": alone({"resourceType": "DiagnosticReport", "result": [7, None, {"reference": 7}]}),
    "two values": fhir(valueString="613"),
    "no value": fhir(valueQuantity=None),
    "a value that is a list": fhir(valueQuantity=[{"value": 640}]),
    "a value in words": fhir(valueQuantity={"value": "640", "code": "/uL"}),
    "a negative value": fhir(valueQuantity={"value": -640, "code": "/uL"}),
    "an impossible value": fhir(valueQuantity={"value": 640_000, "code": "/uL"}),
    "a comparator we do not know": fhir(valueQuantity={"value": 640, "comparator": "about", "code": "/uL"}),
    "a day that does not exist": fhir(effectiveDateTime="2026-02-30"),
    "a day to come": fhir(effectiveDateTime="2199-01-01"),
    "a day out of reach": fhir(effectiveDateTime="0001-01-01T00:00:00+14:00"),
    "a last moment": fhir(effectiveDateTime="9999-12-31T23:59:59-12:00"),
    "a leap second": fhir(effectiveDateTime="2026-02-05T23:59:60Z"),
    "only a year": fhir(effectiveDateTime="2026"),
    "a date that is a number": fhir(effectiveDateTime=20260205),
    "no status": fhir(status=None),
    "a status that is a list": fhir(status=["final"]),
    "cancelled": fhir(status="cancelled"),
    "entered in error": fhir(status="entered-in-error"),
    **{f"a code that is {wrong!r}": fhir(code=wrong, valueQuantity=None) for wrong in WRONG},
    **{f"a subject that is {wrong!r}": fhir(subject=wrong, valueQuantity=None) for wrong in WRONG},
    **{f"all around that is {wrong!r}": fhir(**dict.fromkeys(AROUND, wrong), status="cancelled") for wrong in WRONG},
}


def hl7(*segments: str, head: str = "") -> Case:
    """A broken message after a good one."""
    good = message("PID|1||||Anna", "OBR|1|||x|||20260105", obx(CD4, "NM", "612", "/uL"))
    return good + message("PID|1||||Anna", *segments, head=head), GOOD


def result(value: str, kind: str = "NM", **fields: str) -> str:
    """A potassium of another day."""
    return obx(POTASSIUM, kind, value, "mmol/L", **{"f14": "20260205", **fields})


WHOLE = message("PID|1||||Anna", "OBR|1|||x|||20260105", result("4.1"))
MESSAGES: dict[str, Case] = {
    "a message without its header": (WHOLE[WHOLE.index(b"PID") :], []),
    "a header alone": (b"MSH|^~\\&|LIS\r", []),
    "three letters": (b"MSH", []),
    "a header in small letters": (WHOLE.replace(b"MSH", b"msh"), []),
    "a frame without a message": (b"\x0b\x1c\r", []),
    "a batch without messages": (b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r", []),
    "a batch that is cut": (b"BHS|^~\\&\r" + WHOLE[: WHOLE.index(b"4.1")], []),
    "a message of another kind": hl7(result("4.1"), head=msh(kind="ADT^A01")),
    "a message of another version": hl7(result("4.1"), head=msh(version="2.8")),
    "no kind at all": hl7(result("4.1"), head=msh(kind="")),
    "a character set we do not know": hl7(result("4.1"), head=msh(charset="ISO IR87")),
    "the same separator twice": hl7(result("4.1"), head=msh().replace(r"^~\&", r"^^\&")),
    "letters for separators": hl7(result("4.1"), head=msh().replace(r"^~\&", "abcd")),
    "separators of another message": hl7(result("4.1"), head=msh().replace("|", "#")),
    "Latin-1 under UTF-8": (hl7(result("4.1"), "NTE|1||Käse")[0].decode().encode("latin-1"), GOOD),
    "a null in a result": hl7(result("4.1\0")),
    "an impossible day": hl7(result("4.1", f14="20260230")),
    "a day of zeros": hl7(result("4.1", f14="00000000")),
    "a day that has not come": hl7(result("4.1", f14="21991231")),
    "a day long ago": hl7(result("4.1", f14="00010101000000+1400")),
    "a zone that does not exist": hl7(result("4.1", f14="202602051200+9900")),
    "only a month": hl7(result("4.1", f14="202602")),
    "no day at all": hl7("OBR|1||F1|x", result("4.1", f14="")),
    "a number of five thousand digits in a message": hl7(result("6" * 5_000)),
    "a number out of reach in a message": hl7(result("1e999")),
    "a number that is text": (hl7(result("1e99999"))[0], [*GOOD, ("potassium", "1e99999")]),
    "a negative number": hl7(result("-4.1")),
    "an impossible number": hl7(result("41000")),
    "a status we do not know": hl7(obx(POTASSIUM, "NM", "4.1", "mmol/L", "?")),
    "a cancelled result": hl7(obx(POTASSIUM, "NM", "4.1", "mmol/L", "X")),
    "a pending result": hl7(obx(POTASSIUM, "NM", "", "mmol/L", "I")),
    "a withdrawn result that was never there": hl7(obx(POTASSIUM, "NM", "4.1", "mmol/L", "W")),
    "a document": hl7(result("^application^pdf^Base64^JVBERi0xLjcK", "ED")),
    "nothing but separators": hl7(result("^" * 5_000)),
    "a line break in a number": hl7(result("4\r1")),
    "an escape that is not closed": hl7("OBR|1|||x|||2026\\", result("4.1", f14="")),
    "results before their patient": (message(result("4.1", f14="2026"), "PID|1||||Anna"), []),
    "no results": (message("PID|1||||Anna", "OBR|1|||x"), []),
    "zero copies": hl7(obx(LOAD, "NM", "0", "copies/mL", f14="20260205")),
}
ALL = {**TABLES, **BINARIES, **RESOURCES, **MESSAGES}
