"""The parts of a drawing: what goes in (marks, courses, thresholds) and what comes out in place. Pure, in SVG units."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from labs.chart_axes import Size, Tick, tidy
from labs.chart_labels import Label

MARK = 6.0
CROWD = 60  # more marks than this are drawn smaller, each kind as one outline, and are no links


class Mark(NamedTuple):
    """A reading to draw. `value` None = not detected without a limit. `counts` False = hollow, never joined.

    `key` is the id of its row in the table, `said` what is read out for it.
    """

    on: date
    value: Decimal | None
    comparator: str
    counts: bool
    label: str
    key: str = ""
    said: str = ""

    @property
    def measured(self) -> bool:
        """Whether it is a counted value, not a limit."""
        return self.value is not None and self.comparator == "="

    @property
    def is_below(self) -> bool:
        """Whether it is less than, or at most, a limit that has a number."""
        return self.value is not None and self.comparator.startswith("<")


@dataclass(frozen=True)
class Course:
    """A course to draw: first and last injection, the last day that is too soon, a number.

    `note` says its delivered dose; `amount` is the same in MIU, None where it is not to be shown.
    """

    number: int
    first_on: date
    last_on: date
    too_soon_until: date
    note: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True)
class Threshold:
    """A level to draw across: the goal, 200, the nadir, the limit of the test. No label = the axis says it."""

    value: Decimal
    label: str


@dataclass(frozen=True)
class Scene:
    """Everything one panel shows between two dates."""

    first_on: date
    last_on: date
    today: date
    marks: Sequence[Mark]
    courses: Sequence[Course] = ()
    thresholds: Sequence[Threshold] = ()


@dataclass(frozen=True)
class Level:
    """A threshold in place."""

    y: float
    label: Label


@dataclass(frozen=True)
class Band:
    """A course in place: the band, the hatched days after it, its label; its dose in words and as a bar."""

    x: float
    width: float
    hatch_x: float
    hatch_width: float
    label_x: float
    label: str
    note: str
    dose: float = 0


class Shape(NamedTuple):
    """A reading in place. `kind`: dot, down (less than), up (more than); hollow = does not count."""

    kind: str
    hollow: bool
    x: float
    y: float
    key: str
    text: str
    panel: str
    reach: float = MARK
    said: str = ""

    @property
    def is_dashed(self) -> bool:
        """Whether its outline is broken: a limit that does not count."""
        return self.hollow and self.kind != "dot"

    @property
    def css(self) -> str:
        """Class of the stylesheet that fills it."""
        if self.panel == "vl" and self.kind != "dot":
            return "c-vl-tri"
        hollow = self.hollow or self.kind != "dot"
        return f"c-{self.panel}-hollow" if hollow else f"c-{self.panel}"

    @property
    def path(self) -> str:
        """Its outline: a disc for counts, a diamond for viral load, a triangle for a limit."""
        r = self.reach
        if self.kind != "dot":
            return f"M{tidy(self.x - r)} {self.y}h{2 * r}l{-r} {r * 1.7 if self.kind == 'down' else -r * 1.7:.1f}Z"
        if self.panel == "vl":
            return f"M{self.x} {tidy(self.y - r)}l{r} {r}l{-r} {r}l{-r} {-r}Z"
        return f"M{tidy(self.x - r)} {self.y}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"


@dataclass
class Chart:
    """A finished drawing."""

    size: Size
    kind: str
    bands: list[Band]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    levels: list[Level]
    shapes: list[Shape]
    today_x: float | None
    solid: list[str] = field(default_factory=list)
    dashed: list[str] = field(default_factory=list)
    limit: str = ""
    labels: list[Label] = field(default_factory=list)

    @property
    def is_crowded(self) -> bool:
        """Whether there are too many marks to draw each by itself."""
        return len(self.shapes) > CROWD

    @property
    def outlines(self) -> list[tuple[str, bool, str]]:
        """Every mark: class, whether broken, outline. In a crowd those of one look are one outline."""
        if not self.is_crowded:
            return [(shape.css, shape.is_dashed, shape.path) for shape in self.shapes]
        found: dict[tuple[str, bool], list[str]] = {}
        for shape in sorted(self.shapes, key=lambda shape: not shape.hollow):
            found.setdefault((shape.css, shape.is_dashed), []).append(shape.path)
        return [(*look, "".join(paths)) for look, paths in found.items()]

    @property
    def solid_line(self) -> str:
        """The joins between counted values as one path."""
        return _one_path(self.solid)

    @property
    def dashed_line(self) -> str:
        """The joins with a limit at one end as one path."""
        return _one_path(self.dashed)

    @property
    def links(self) -> list[Shape]:
        """The marks that lead to their rows; none in a crowd, where none could be hit."""
        return [] if self.is_crowded else self.shapes

    @property
    def spots(self) -> str:
        """Place and row of every mark for the reading script: "x y key;x y key"."""
        return ";".join(f"{shape.x} {shape.y} {shape.key}" for shape in self.shapes)

    @property
    def band_path(self) -> str:
        """Every course as one path."""
        return "".join(self._column(band.x, band.width) for band in self.bands)

    @property
    def hatch_path(self) -> str:
        """The days that are too soon after each course as one path."""
        return "".join(self._column(band.hatch_x, band.hatch_width) for band in self.bands if band.hatch_width)

    def _column(self, x: float, width: float) -> str:
        plot = self.size.plot
        return f"M{x} {plot.top}h{width}V{plot.bottom}h-{width}Z"

    @property
    def grid_path(self) -> str:
        """The lines of the upright axis above its lowest one."""
        plot = self.size.plot
        return "".join(f"M{plot.left} {tick.at}H{plot.right}" for tick in self.y_ticks[1:])

    @property
    def dose_foot(self) -> float:
        """What the bars of delivered doses stand on, under the words of the time axis."""
        return tidy(self.size.height - 17)

    @property
    def dose_words(self) -> float:
        """The baseline of the delivered doses in words, under their bars."""
        return tidy(self.size.height - 3)


def _one_path(segments: Sequence[str]) -> str:
    """Segments end to end, without saying twice where one ends and the next begins."""
    path, end = "", ""
    for segment in segments:
        start, _, target = segment[1:].partition("L")
        path += f"L{target}" if start == end else segment
        end = target
    return path
