"""Where words go in a drawing so that none covers another. Pure geometry in SVG units (y grows downwards)."""

from collections.abc import Iterable
from dataclasses import dataclass

LETTER = 7.7  # width of a bold digit at 14 px, measured generously
SMALL_LETTER = 6.6  # the same at 13 px regular
HEIGHT = 15.0
GAP = 3.0


@dataclass(frozen=True)
class Box:
    """A rectangle by its corners."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: "Box") -> bool:
        """Whether the two overlap, or nearly."""
        return (
            self.left < other.right + GAP
            and other.left < self.right + GAP
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def inside(self, other: "Box") -> bool:
        """Whether it lies within the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Label:
    """A word in place: its anchor point on the baseline and how it is anchored there."""

    text: str
    x: float
    y: float
    anchor: str = "start"

    @property
    def box(self) -> Box:
        """The room the word takes."""
        return box_of(self.text, self.x, self.y, self.anchor, LETTER)


def box_of(text: str, x: float, y: float, anchor: str, letter: float) -> Box:
    """Room of a text whose baseline is at y."""
    width = len(text) * letter
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return Box(left, y - HEIGHT + 3, left + width, y + 3)


class Page:
    """A drawing area that remembers what stands where."""

    def __init__(self, area: Box) -> None:
        self.area = area
        self.taken: list[Box] = []

    def reserve(self, boxes: Iterable[Box]) -> None:
        """Keep these places free of words."""
        self.taken.extend(boxes)

    def free(self, box: Box, own: Box | None = None) -> bool:
        """Whether a word fits there; `own` is the mark it belongs to."""
        return box.inside(self.area) and not any(box.touches(other) for other in self.taken if other is not own)

    def place(self, text: str, x: float, y: float, own: Box | None = None) -> Label | None:
        """The word above, below, right or left of a mark, or nowhere."""
        for label in _places(text, x, y):
            if self.free(label.box, own):
                self.taken.append(label.box)
                return label
        return None


def _places(text: str, x: float, y: float) -> tuple[Label, ...]:
    return (
        Label(text, x, y - 11, "middle"),
        Label(text, x, y + 22, "middle"),
        Label(text, x + 5, y - 11, "end"),
        Label(text, x - 5, y - 11, "start"),
        Label(text, x - 5, y + 22, "start"),
        Label(text, x + 11, y + 5, "start"),
        Label(text, x - 11, y + 5, "end"),
    )
