"""What a FHIR Observation says as a whole, before its values: whose it is, from where, how far along. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labs.files.candidates import DateError, Line, Person, Stage, Status, identity
from labs.files.fhir_dates import Taken, read_birth, taken, taken_text
from labs.files.fhir_json import Content, Placed, concept, mapping, sequence, text

LONGEST_NAME, LONGEST_ID, LONGEST_SPECIMEN = 120, 160, 40
STAGES = {
    "preliminary": Stage.PRELIMINARY,
    "unknown": Stage.PRELIMINARY,
    "final": Stage.FINAL,
    "partial": Stage.FINAL,  # said of a report: some of its results are still to come
    "appended": Stage.FINAL,
    "amended": Stage.CORRECTED,
    "corrected": Stage.CORRECTED,
}
STATUSES = {
    "registered": (Status.PENDING, "The laboratory has no value yet."),
    "cancelled": (Status.CANCELLED, "The laboratory cancelled it."),
    "entered-in-error": (Status.WITHDRAWN, "The laboratory says that this was a mistake."),
}
ENDED = {"cancelled", "entered-in-error"}


@dataclass
class Context:
    """One file. `reports` holds the report that names a result, for what the result itself does not say."""

    content: Content
    reports: dict[int, Placed] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for placed in self.content.placed:
            subject = mapping(placed.resource.get("subject"))
            if name := text(subject.get("display")):
                self.called.setdefault(text(subject.get("reference")), name)
            for reference in sequence(placed.resource.get("result")) if placed.kind == "DiagnosticReport" else []:
                named = self.content.find(reference, placed)
                if named is not None:
                    self.reports.setdefault(id(named.resource), placed)

    def line(self, placed: Placed, report: Placed | None) -> Line:
        """The line of an Observation or report without its values; with a verdict where the whole has one."""
        about = placed.resource.get("subject") or (report.resource.get("subject") if report else None)
        person = self._person(about, placed)
        status, reason, stage = _status(placed.resource, report)
        return Line(
            placed.line,
            self._patient(about, person),
            shortened(concept(placed.resource.get("code")), LONGEST_NAME),
            "",
            status,
            reason,
            stage=stage,
            laboratory=shortened(self._laboratory(placed, report), LONGEST_NAME),
            specimen=identity(self._specimen(placed), LONGEST_SPECIMEN),
            external_id=identity(_identifier(placed), LONGEST_ID),
            person=person,
        )

    def when(self, placed: Placed, report: Placed | None) -> tuple[Taken, str]:
        """The day or moment of the draw, by the result, its specimen or its report; and what is wrong with it."""
        specimen = self.content.find(placed.resource.get("specimen"), placed)
        collected = mapping(specimen.resource.get("collection")) if specimen else {}
        period = mapping(collected.get("collectedPeriod")).get("start")
        above: Mapping[str, Any] = report.resource if report else {}
        reported = above.get("effectiveDateTime"), mapping(above.get("effectivePeriod")).get("start")
        try:
            return taken(placed.resource, collected.get("collectedDateTime"), period, *reported), ""
        except DateError as error:
            return Taken(), str(error)

    def material(self, placed: Placed) -> str:
        """What the specimen is said to be: "Urine specimen"."""
        reference = placed.resource.get("specimen")
        specimen = self.content.find(reference, placed)
        kind = concept(specimen.resource.get("type")) if specimen else ""
        return f"{text(mapping(reference).get('display'))} {kind}"

    def _person(self, reference: Any, placed: Placed) -> Person | None:
        patient, link = self.content.find(reference, placed), text(mapping(reference).get("reference"))
        called = text(mapping(reference).get("display")) or self.called.get(link, "")
        number = text(mapping(mapping(reference).get("identifier")).get("value"))
        if patient is None:
            return Person(name=called, number=number) if called or number else None
        own = patient.resource
        born_on, year = read_birth(text(own.get("birthDate")))
        numbers = [text(mapping(each).get("value")) for each in sequence(own.get("identifier"))]
        return Person(_human(own) or called, born_on, year, next((each for each in numbers if each), number))

    def _patient(self, reference: Any, person: Person | None) -> str:
        """Whom the file means, in one way for all the results of one person; two people of one name stay two."""
        link = text(mapping(reference).get("reference"))
        name = self.called.get(link, "") or (person.name if person else "")
        return shortened(f"{name} ({link})" if name and link else name or link, LONGEST_NAME)

    def _laboratory(self, placed: Placed, report: Placed | None) -> str:
        """The performer's name: an organisation's before a person's."""
        named = sequence(placed.resource.get("performer")) + sequence(report.resource.get("performer") if report else 0)
        houses = [each for each in named if self._is_house(each, placed)]
        for each in houses or named:
            found = self.content.find(each, placed)
            name = text(mapping(each).get("display")) or (text(found.resource.get("name")) if found else "")
            if name:
                return name
        return ""

    def _is_house(self, reference: Any, placed: Placed) -> bool:
        found, own = self.content.find(reference, placed), mapping(reference)
        if found is not None:
            return found.kind == "Organization"
        link = text(own.get("reference")).rpartition("/")[0]
        return text(own.get("type")) == "Organization" or link.rpartition("/")[2] == "Organization"

    def _specimen(self, placed: Placed) -> str:
        """The number of the specimen; without one, how the sending system names it."""
        reference = mapping(placed.resource.get("specimen"))
        found = self.content.find(reference, placed)
        own: Mapping[str, Any] = found.resource if found else {}
        numbers = [own.get("accessionIdentifier"), *sequence(own.get("identifier")), reference.get("identifier")]
        number = next((value for each in numbers if (value := text(mapping(each).get("value")))), "")
        name = text(reference.get("reference"))
        return number or ("" if name.startswith("#") else name.rpartition("/")[2])


def _status(own: Mapping[str, Any], report: Placed | None) -> tuple[Status, str, Stage]:
    """The Observation's own status, unless its whole report was taken back."""
    above = text(report.resource.get("status")) if report else ""
    stands = text(own.get("status"))
    if above in ENDED and stands not in ENDED:
        stands = above
    if own.get("modifierExtension") or own.get("implicitRules"):
        words = "It carries a remark for machines that may change what it means."
        return Status.NOT_UNDERSTOOD, words, Stage.FINAL
    if stands in STATUSES:
        return *STATUSES[stands], Stage.FINAL
    if stands in STAGES:
        return Status.READY, "", STAGES[stands]
    return Status.NOT_UNDERSTOOD, "It does not say whether it is final.", Stage.FINAL


def _identifier(placed: Placed) -> str:
    """What names the result in the sending system over all its versions; else its id there, with the day of the draw.

    Many files number their resources from 1: the id alone would make next month's count a correction of this one.
    """
    own = placed.resource
    known = [mapping(each) for each in sequence(own.get("identifier")) if text(mapping(each).get("value"))]
    official = [each for each in known if text(each.get("use")) == "official"] or known
    if official:
        return "|".join(part for name in ("system", "value") if (part := text(official[0].get(name))))
    if placed.url.startswith("http"):
        return placed.url
    return f"{placed.own_reference}@{taken_text(own)[:10]}" if placed.own_reference and placed.parent is None else ""


def shortened(said: str, most: int) -> str:
    """The words, with a mark where their end is missing."""
    return said if len(said) <= most else said[: most - 1] + "…"


def _human(patient: Mapping[str, Any]) -> str:
    names = [mapping(each) for each in sequence(patient.get("name"))]
    chosen = next((each for use in ("official", "usual") for each in names if text(each.get("use")) == use), None)
    name: Mapping[str, Any] = chosen or next(iter(names), {})
    parts: Sequence[str] = [*(text(each) for each in sequence(name.get("given"))), text(name.get("family"))]
    return text(name.get("text")) or " ".join(part for part in parts if part)
