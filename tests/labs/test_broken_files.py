"""Files of every format that are no good, by the same way as a good one: words on a page, never an error page, and
nothing stored that does not stand in the file."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labs.files import formats
from labs.files.candidates import FileError
from labs.models import ImportBatch, LabResult
from tests.labs.broken_files import ALL, BINARIES, MESSAGES, RESOURCES, TABLES, Case

pytestmark = pytest.mark.django_db
FORMATS = {"tables": TABLES, "binaries": BINARIES, "resources": RESOURCES, "messages": MESSAGES}
EVERYTHING = {"odd": "add", "conflicts": "replace"}


def test_the_corpus_is_a_corpus() -> None:
    assert len(ALL) == sum(map(len, FORMATS.values()))
    assert min(map(len, FORMATS.values())) > 10


@pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
def test_a_broken_file_is_answered_in_words_and_adds_nothing_of_its_own(anna: Client, text: Any, case: Case) -> None:
    content, may_be_stored = case
    answer = anna.post("/results/import/", {"file": SimpleUploadedFile("results.txt", content)})
    assert answer.status_code in (302, 422)
    if answer.status_code == 422:
        assert "There is a problem" in text(answer)
        assert not ImportBatch.objects.exists()
        assert may_be_stored == []
        return
    page = answer.url
    for path in (page, f"{page}?page=2", f"{page}?show=new"):
        shown = anna.get(path)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.content.decode()
    assert anna.post(page, {}).status_code in (302, 422)
    assert anna.post(f"{page}add/", EVERYTHING).status_code == 302
    assert anna.get("/results/").status_code == 200
    assert [(r.analyte.code, r.raw.split()[0]) for r in LabResult.objects.select_related("analyte")] == may_be_stored


@pytest.mark.parametrize("cut", range(0, 100, 4))
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_anywhere_is_answered(anna: Client, name: str, cut: int) -> None:
    whole = {
        "tables": b"date,cd4,note\n2026-01-05,612,fine\n2026-02-05,640,\n",
        "binaries": BINARIES["a workbook"][0],
        "resources": RESOURCES["cancelled"][0],
        "messages": MESSAGES["a cancelled result"][0],
    }[name]
    content = whole[: len(whole) * cut // 100]
    answer = anna.post("/results/import/", {"file": SimpleUploadedFile("results.txt", content)})
    assert answer.status_code in (302, 422)
    if answer.status_code == 302:
        assert anna.get(answer.url).status_code == 200
        assert anna.post(f"{answer.url}add/", EVERYTHING).status_code == 302
    assert {str(result.value.normalize()) for result in LabResult.objects.all()} <= {"612", "6.4E+2"}


@pytest.mark.parametrize(
    "start", [b"MSH|^~\\&|", b'{"resourceType":', b'{"format": "diary-record",'], ids=["hl7", "fhir", "own"]
)
@pytest.mark.parametrize("by_command", [False, True])
def test_what_is_read_whole_has_a_limit_which_is_said(
    start: bytes, by_command: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MESSAGE_BYTES", 1_000_000)
    data = start.ljust(1_000_001)
    opener = partial(io.BytesIO, data)
    with pytest.raises(FileError, match=r"read whole, up to 1 MB\. This file is longer: split it\. A table"):
        formats.opened(opener if by_command else data)
    assert formats.opened(partial(io.BytesIO, b"date,cd4\n" + b"2026-01-05,612\n" * 70_000)).table
