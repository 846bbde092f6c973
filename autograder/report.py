"""The class at a glance: one HTML file that needs nothing else, light and dark, wide and narrow.

Everything that came from a submission is escaped by the template engine.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from autograder.course import Course, UsageError
from autograder.journal import REFERENCE, Entry, Journal
from autograder.scoring import Row
from autograder.submission import printable

BARS = 10
TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class Student:
    """One line of the table."""

    name: str
    points: float
    rows: list[Row | None]  # in the order of the items
    late: str
    notes: list[str]
    unreadable: list[str]


@dataclass(frozen=True)
class Item:
    """One cell that carries points, over the whole class."""

    notebook: str
    cell: str
    max_points: float
    by_hand: bool
    mean: float | None  # share of the points that the class got; None where a person marks
    outcomes: list[tuple[str, int]]
    failures: list[tuple[str, int]]  # messages, the most frequent first


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
    partial.write_text(render(ps, people, by_hand), encoding="utf-8")
    partial.replace(path)
    return path


def render(ps: str, entries: Sequence[Entry], by_hand: Collection[tuple[str, str]]) -> str:
    """The page as text; by_hand names the cells that a person marks, by notebook and name."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    items = _items(entries, by_hand)
    students = [_student(entry, items) for entry in entries]
    points = [s.points for s, e in zip(students, entries, strict=True) if e.settled] or [0.0]
    marked = sum(item.max_points for item in items if not item.by_hand)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        ps=ps,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        protections=sorted({e.protection for e in entries if e.protection}),
        students=students,
        items=items,
        several=len({item.notebook for item in items}) > 1,
        marked=marked,
        mean=sum(points) / len(points),
        bars=_histogram(points, marked),
        waiting=sum(row.outcome == "manual" for e in entries for row in e.rows),
        faults=[
            replace(row, student=printable(row.student))
            for entry in entries
            for row in entry.rows
            if row.outcome == "grader_fault"
        ],
    )


def _student(entry: Entry, items: Sequence[Item]) -> Student:
    points = sum(row.points or 0.0 for row in entry.rows)
    found = {(row.notebook, row.cell): row for row in entry.rows}
    rows = [found.get((item.notebook, item.cell)) for item in items]
    name, late = printable(entry.student), _late(entry.late_s)
    return Student(name, points, rows, late, entry.notes, entry.unreadable)


def _late(seconds: int) -> str:
    if seconds <= 0:
        return ""
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
    items = []
    for (notebook, cell), rows in columns.items():
        marks = [row.points for row in rows if row.points is not None]
        most = rows[-1].max_points
        share = sum(marks) / (len(marks) * most) if marks and most else None
        outcomes = Counter(row.outcome for row in rows)
        failures = Counter(
            row.message
            for row in rows
            if row.points is not None and row.points < most and row.message and row.student in whole
        )
        hand = (notebook, cell) in by_hand
        share = None if hand else share
        items.append(
            Item(notebook, cell, most, hand, share, outcomes.most_common(), failures.most_common(5))
        )
    return items


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
