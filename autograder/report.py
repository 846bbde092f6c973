"""The class at a glance: one HTML file that needs nothing else, light and dark, wide and narrow.

Everything that came from a submission is escaped by the template engine.
"""

import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from autograder import marks
from autograder.course import Course, UsageError
from autograder.journal import REFERENCE, Entry, Journal
from autograder.marks import Key, Mark
from autograder.scoring import Row
from autograder.submission import printable

BARS = 10
FEW = 0.4  # who has less than this share of the points needs somebody
LOW = 0.2  # a task that agrees less than this with the others deserves a look
ENOUGH = 10  # submissions, before an agreement is worth printing
SLOWEST = 8
TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Student:
    """One line of the table."""

    name: str
    points: float
    rows: list[Row | None]  # in the order of the items
    reasons: list[str]  # why somebody should look
    notes: list[str]
    unreadable: list[str]


@dataclass(frozen=True)
class Item:
    """One cell that carries points, over the whole class."""

    notebook: str
    cell: str
    max_points: float
    by_hand: bool
    mean: float | None  # share of the points that the class got; None before anybody has a mark
    agreement: float | None  # correlation with the sum of the others; None where it says nothing
    outcomes: list[tuple[str, int]]
    failures: list[tuple[str, int]]  # messages, the most frequent first


@dataclass(frozen=True)
class Slow:
    """How long one cell took over the class, seconds by the clock."""

    cell: str
    median_s: float
    longest_s: float
    student: str  # whose was the longest


def write(course: Course, ps: str) -> Path:
    """Write the report of everyone graded so far; returns its path."""
    entries = Journal(course, ps).entries
    people = [entries[student] for student in course.students(ps) if student in entries]
    if not people:
        raise UsageError(f"nothing of {ps} is graded in {course.root}; run `grade {ps}` first")
    path = course.root / "reports" / f"{ps}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    reference = entries[REFERENCE].rows if REFERENCE in entries else []
    by_hand = {(r.notebook, r.cell) for r in reference if r.outcome == "manual"}
    partial.write_text(render(ps, people, by_hand, marks.read(course, ps)), encoding="utf-8")
    partial.replace(path)
    return path


def render(
    ps: str,
    entries: Sequence[Entry],
    by_hand: Collection[tuple[str, str]],
    given: Mapping[Key, Mark] | None = None,
) -> str:
    """The page as text.

    by_hand names the cells that a person marks, by notebook and name; given holds the marks as
    they stand in the gradebook, which count before those that the run gave.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    given = given or {}
    entries = [replace(e, rows=[_as_marked(row, given) for row in e.rows]) for e in entries]
    items = _items(entries, by_hand)
    waiting = sum(row.outcome == "manual" for e in entries for row in e.rows)
    # before the last written answer is marked, the automatic points alone compare people fairly
    counted = [item for item in items if not item.by_hand or not waiting]
    names = {(item.notebook, item.cell) for item in counted}
    most = sum(item.max_points for item in counted)
    students = [_student(entry, items, names, most) for entry in entries]
    points = [_points(e, names) for e in entries if e.settled] or [0.0]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        ps=ps,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        protections=sorted({e.protection for e in entries if e.protection}),
        students=students,
        items=items,
        several=len({item.notebook for item in items}) > 1,
        marked=most,
        kind="automatic points" if len(counted) < len(items) else "points",
        mean=sum(points) / len(points),
        middle=statistics.median(points),
        bars=_histogram(points, most),
        low=LOW,
        waiting=waiting,
        again=sum(mark.waits and mark.by_hand for mark in given.values()),
        slow=_slow(entries),
        faults=[
            replace(row, student=printable(row.student))
            for entry in entries
            for row in entry.rows
            if row.outcome == "grader_fault"
        ],
    )


def _as_marked(row: Row, given: Mapping[Key, Mark]) -> Row:
    """The row with the mark that a person gave, where one did."""
    mark = given.get((row.student, row.notebook, row.cell))
    if mark is None or mark.points is None or (not mark.by_hand and row.outcome == "manual"):
        return row
    return replace(row, points=mark.points, outcome="marked" if mark.by_hand else row.outcome)


def _points(entry: Entry, names: Collection[tuple[str, str]]) -> float:
    return sum(row.points or 0.0 for row in entry.rows if (row.notebook, row.cell) in names)


def _student(
    entry: Entry, items: Sequence[Item], names: Collection[tuple[str, str]], most: float
) -> Student:
    points = sum(row.points or 0.0 for row in entry.rows)
    found = {(row.notebook, row.cell): row for row in entry.rows}
    rows = [found.get((item.notebook, item.cell)) for item in items]
    reasons = [_late(entry.late_s)] if entry.late_s > 0 else []
    if not entry.unreadable and entry.settled and most and _points(entry, names) < FEW * most:
        reasons.append(f"{_points(entry, names):g} of {most:g} points")
    ended = Counter(row.outcome for row in entry.rows if row.outcome in ("timeout", "error"))
    if ended and not entry.unreadable:
        reasons.append(", ".join(f"{n} x {outcome}" for outcome, n in sorted(ended.items())))
    return Student(printable(entry.student), points, rows, reasons, entry.notes, entry.unreadable)


def _late(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours < 24:
        return f"{hours} h {minutes} min late"
    return f"{hours // 24} d {hours % 24} h late"


def _items(entries: Sequence[Entry], by_hand: Collection[tuple[str, str]]) -> list[Item]:
    columns: dict[tuple[str, str], list[Row]] = {}
    whole = {entry.student for entry in entries if not entry.unreadable}
    for entry in entries:
        for row in entry.rows:
            columns.setdefault((row.notebook, row.cell), []).append(row)
    totals = {e.student: sum(r.points or 0.0 for r in e.rows) for e in entries if e.settled}
    items = []
    for (notebook, cell), rows in columns.items():
        got = [row.points for row in rows if row.points is not None]
        most = rows[-1].max_points
        pairs = [
            (row.points, totals[row.student] - row.points)
            for row in rows
            if row.points is not None and row.student in whole and row.student in totals
        ]
        failures = Counter(
            row.message
            for row in rows
            if row.points is not None
            and row.points < most
            and row.message
            and row.student in whole
            and row.outcome != "marked"
        )
        items.append(
            Item(
                notebook,
                cell,
                most,
                (notebook, cell) in by_hand,
                sum(got) / (len(got) * most) if got and most else None,
                _agreement(pairs),
                Counter(row.outcome for row in rows).most_common(),
                failures.most_common(5),
            )
        )
    # an answer left empty has its 0 points at once; the others' marks come later
    return [
        replace(i, mean=None, agreement=None) if i.by_hand and "manual" in dict(i.outcomes) else i
        for i in items
    ]


def _agreement(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Corrected item-total correlation: of an item's points with the sum of all other items'."""
    if len(pairs) < ENOUGH:
        return None
    item, rest = zip(*pairs, strict=True)
    if len(set(item)) == 1 or len(set(rest)) == 1:  # everybody has the same: nothing to compare
        return None
    return statistics.correlation(item, rest)


def _slow(entries: Sequence[Entry]) -> list[Slow]:
    """The cells whose longest run took longest."""
    times: dict[str, list[tuple[float, str]]] = {}
    for entry in entries:
        for cell, seconds in entry.seconds.items():
            times.setdefault(cell, []).append((seconds, entry.student))
    found = [
        Slow(
            printable(cell),
            statistics.median(seconds for seconds, _ in runs),
            max(runs)[0],
            printable(max(runs)[1]),
        )
        for cell, runs in times.items()
    ]
    return sorted(found, key=lambda slow: -slow.longest_s)[:SLOWEST]


def _histogram(points: Sequence[float], most: float) -> list[tuple[str, int, float]]:
    """Label, count and height (0 to 1) of each bar; the last one includes full marks."""
    counts = [0] * BARS
    for value in points:
        counts[min(int(BARS * value / most), BARS - 1) if most else 0] += 1
    step = 100 // BARS
    return [
        (f"{i * step} to {(i + 1) * step} %", count, count / max(counts))
        for i, count in enumerate(counts)
    ]
