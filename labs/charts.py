"""Drawings of CD4+ counts and viral load on one time axis: numbers in, coordinates out. Pure; templates draw them.

A drawing never says more than the table beneath it: filled and joined = counts, hollow = does not count and is never
joined, open triangle at the limit = less (or more) than the test can count, dashed join = one end is only a limit.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from labs.chart_axes import Across, Axis, Size, Tick, height, linear_axis, month_ticks, power_axis, tidy
from labs.chart_labels import SMALL_LETTER, Box, Label, Page, box_of
from labs.chart_parts import CROWD, MARK, Band, Chart, Course, Level, Mark, Scene, Shape, Threshold
from labs.units import figure

__all__ = ["Chart", "Course", "Mark", "Scene", "Size", "Threshold", "cd4_chart", "thin", "viral_load_chart"]

MOST_POINTS = 400  # more than this are thinned, lowest and highest always kept
MOST_LABELLED = 24
SMALLEST_MARK = 1.2
LINE_STEP = 8
DOSE_ROOM, DOSE_HEIGHT = 30.0, 11.0  # the row of delivered doses under the axis
NARROW = Size(310, 220)  # on a 320 px phone its smallest words are still 12 px
WIDE = Size(800, 300)
WIDE_LOW = Size(800, 240)


def cd4_chart(scene: Scene, size: Size) -> Chart:
    """Linear panel from 0, for counts and percentages."""
    return _draw("cd4", scene, size, linear_axis(_values(scene)))


def viral_load_chart(scene: Scene, size: Size) -> Chart:
    """Panel whose every line is ten times the one below. Nothing is ever the logarithm of 0 (hazard H12)."""
    return _draw("vl", scene, size, power_axis(_values(scene)))


def _values(scene: Scene) -> list[Decimal]:
    shown = [mark.value for mark in scene.marks if mark.value is not None]
    return shown + [threshold.value for threshold in scene.thresholds]


def _draw(kind: str, scene: Scene, size: Size, axis: Axis) -> Chart:
    size = _with_room_for_doses(size, scene)
    marks = thin(sorted(scene.marks, key=lambda mark: mark.on))
    plot, across = size.plot, Across(scene.first_on, scene.last_on, size)
    chart = Chart(
        size=size,
        kind=kind,
        bands=_bands(scene, across),
        y_ticks=[Tick(height(plot, axis.share(line)), figure(line)) for line in axis.lines],
        x_ticks=month_ticks(across),
        levels=[],
        shapes=[_shape(kind, mark, across, height(plot, axis.share(mark.value)), len(marks)) for mark in marks],
        today_x=across.x(scene.today) if scene.first_on <= scene.today <= scene.last_on else None,
    )
    _join(chart, marks)
    _write(chart, scene, marks, axis)
    chart.limit = _limit_line(chart, marks)
    return chart


def _with_room_for_doses(size: Size, scene: Scene) -> Size:
    if not any(course.amount for course in scene.courses):
        return size
    return replace(size, height=size.height + DOSE_ROOM, bottom=size.bottom + DOSE_ROOM, under=DOSE_ROOM)


def _shape(panel: str, mark: Mark, across: Across, y: float, crowd: int) -> Shape:
    kind = "dot" if mark.measured else "up" if mark.comparator.startswith(">") else "down"
    plot = across.plot
    room = tidy((plot.right - plot.left) / crowd * 0.6)
    reach = MARK if crowd <= CROWD else min(max(room, SMALLEST_MARK), MARK / 2)
    return Shape(kind, not mark.counts, across.x(mark.on), y, mark.key, mark.label, panel, reach, mark.said)


def _join(chart: Chart, marks: Sequence[Mark]) -> None:
    joined = [(mark, shape) for mark, shape in zip(marks, chart.shapes, strict=True) if mark.counts]
    for (before, start), (after, end) in pairwise(joined):
        lines = chart.solid if before.measured and after.measured else chart.dashed
        lines.append(f"M{start.x} {start.y}L{end.x} {end.y}")


def _limit_line(chart: Chart, marks: Sequence[Mark]) -> str:
    steps = [(s.x, s.y) for mark, s in zip(marks, chart.shapes, strict=True) if mark.is_below]
    if not steps:
        return ""
    path = f"M{chart.size.plot.left} {steps[0][1]}"
    path += "".join(f"H{x}V{y}" for x, y in steps)
    return f"{path}H{chart.size.plot.right}"


def _bands(scene: Scene, across: Across) -> list[Band]:
    bands: list[Band] = []
    shown = [c for c in scene.courses if c.too_soon_until >= scene.first_on and c.first_on <= scene.last_on]
    most = max((course.amount or 0 for course in shown), default=0)
    for course in sorted(shown, key=lambda course: course.first_on):
        left, right = across.x(course.first_on), across.x(course.last_on + timedelta(days=1))
        end = across.x(course.too_soon_until + timedelta(days=1))
        middle = tidy(left + max(right - left, 4) / 2)
        near = next((middle - band.label_x for band in reversed(bands) if band.label), 1000.0)
        label, note = str(course.number) if near >= 16 else "", course.note if near >= 96 else ""
        dose = tidy(float(course.amount / most) * DOSE_HEIGHT) if course.amount and most else 0
        width = tidy(max(right - left, 4))
        bands.append(Band(left, width, right, tidy(max(end - right, 0)), middle, label, note, dose))
    return [replace(band, note="") for band in bands] if any(band.label and not band.note for band in bands) else bands


def _write(chart: Chart, scene: Scene, marks: Sequence[Mark], axis: Axis) -> None:
    plot = chart.size.plot
    page = Page(Box(plot.left - 2, plot.top - 8, chart.size.width - 2, plot.bottom))
    boxes = [Box(s.x - MARK, s.y - MARK, s.x + MARK, s.y + MARK) for s in chart.shapes]
    if len(boxes) <= CROWD:
        page.reserve([*boxes, *_along(chart.shapes)])
    for threshold in sorted(scene.thresholds, key=lambda threshold: threshold.value):
        chart.levels.append(_level(page, threshold, height(plot, axis.share(threshold.value))))
    for index in _worth_a_label(marks):
        shape = chart.shapes[index]
        label = page.place(shape.text, shape.x, shape.y, boxes[index])
        if label:
            chart.labels.append(label)


def _along(shapes: Sequence[Shape]) -> Iterator[Box]:
    """Small boxes along the joins, so that no word stands on a line."""
    for start, end in pairwise([shape for shape in shapes if not shape.hollow]):
        steps = max(int(math.dist((start.x, start.y), (end.x, end.y)) // LINE_STEP), 1)
        for n in range(1, steps):
            x, y = start.x + (end.x - start.x) * n / steps, start.y + (end.y - start.y) * n / steps
            yield Box(x - 1, y - 1, x + 1, y + 1)


def _level(page: Page, threshold: Threshold, y: float) -> Level:
    area = page.area
    ends = ((area.left + 8, "start"), (area.right - 16, "end"))
    places = [(x, y + offset, anchor) for offset in (-6, 17) for x, anchor in ends]
    boxes = [box_of(threshold.label, x, top, anchor, SMALL_LETTER) for x, top, anchor in places]
    best = next((n for n, box in enumerate(boxes) if page.free(box)), 0)
    page.reserve([boxes[best]] if threshold.label else [])
    x, top, anchor = places[best]
    return Level(y, Label(threshold.label, tidy(x), tidy(top), anchor))


def _worth_a_label(marks: Sequence[Mark]) -> list[int]:
    """Indexes to label, the most telling first; a limit said once is not said again."""
    counting = [n for n, mark in enumerate(marks) if mark.counts] or list(range(len(marks)))
    by_height = sorted(range(len(marks)), key=lambda n: _height(marks[n]))
    telling = [*counting[-1:], *by_height[:1], *by_height[-1:], *counting[:1]]
    if len(marks) <= MOST_LABELLED:
        telling += [n for n in reversed(range(len(marks))) if not marks[n].counts] + counting[::-1]
    said: dict[str, int] = {}
    for n in telling:
        said.setdefault(str(n) if marks[n].measured else marks[n].label, n)
    return list(dict.fromkeys(said.values()))


def thin(marks: Sequence[Mark], limit: int = MOST_POINTS) -> list[Mark]:
    """At most `limit` marks in order; the lowest and the highest of every stretch, so no low point ever vanishes."""
    if len(marks) <= limit:
        return list(marks)
    stretches = max((limit - 2) // 2, 1)
    inner, kept = marks[1:-1], [marks[0]]
    for n in range(stretches):
        stretch = inner[n * len(inner) // stretches : (n + 1) * len(inner) // stretches]
        ends = {min(stretch, key=_height, default=None), max(stretch, key=_height, default=None)}
        kept += sorted((mark for mark in ends if mark), key=lambda mark: mark.on)
    return [*kept, marks[-1]]


def _height(mark: Mark) -> Decimal:
    return mark.value if mark.value is not None else Decimal(0)
