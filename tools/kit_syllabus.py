"""The syllabus: weeks, problem sets and hours, counted from chapters, sets and course.yml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools import kit_answers

# Estimates, not measurements: change them here and run `python -m tools.kit`.
WORDS_A_MINUTE = 100  # of prose that one has to think about
MINUTES_A_FORMULA = 3  # a displayed one, with a pencil
MINUTES_A_CELL = 1.5  # code that the page shows, run and looked at
MINUTES_AN_EXERCISE = 20  # at the end of a chapter, before one unfolds the answer
MINUTES_A_GRADED_CELL = 36  # six hours for a set of ten

SHORT = (  # a week each; problem sets are handed out in the week that they stand in
    ("02_hmm", "ps1_hmm"),
    ("04_rnn", ""),
    ("05_bptt", "ps2_bptt"),
    ("06_gradients", "ps3_gradients"),
    ("07_lstm", ""),
    ("12_text_rnn", ""),
)
CELL = re.compile(r"^```\{code-cell\}.*?^```", re.M | re.S)


@dataclass(frozen=True)
class Count:
    """What a chapter holds."""

    words: int
    formulas: int
    cells: int  # those whose code the page shows
    exercises: int

    @property
    def reading(self) -> float:
        """Hours for reading, formulas and code included."""
        minutes = self.words / WORDS_A_MINUTE
        minutes += MINUTES_A_FORMULA * self.formulas + MINUTES_A_CELL * self.cells
        return minutes / 60

    @property
    def practice(self) -> float:
        """Hours for the exercises of the chapter."""
        return MINUTES_AN_EXERCISE * self.exercises / 60


def count(text: str) -> Count:
    """Count a chapter."""
    body = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.M | re.S)
    cells = CELL.findall(body)
    body = CELL.sub("", body)
    shown = sum(not re.search(r"hide-input|hide-cell|remove-input", cell[:120]) for cell in cells)
    formulas = len(re.findall(r"^\$\$", body, re.M)) // 2
    prose = re.sub(r"^\$\$\n.*?^\$\$|\$[^$]*\$", " x ", body, flags=re.M | re.S)
    section = body.partition("\n## Exercises\n")[2].partition("\n## ")[0]
    exercises = len(re.findall(r"^\*\*\d+\. ", section, re.M))
    return Count(len(re.findall(r"[A-Za-z][\w'-]*", prose)), formulas, shown, exercises)


@dataclass(frozen=True)
class Course:
    """The plan with what of it exists."""

    chapters: list[str]
    titles: dict[str, str]
    given_out: dict[str, str]  # by the chapter in whose week; the set's id
    counts: dict[str, Count]
    cells: dict[str, dict[str, float]]  # graded cells of a set and their points

    def set_hours(self, ps: str) -> float:
        """Hours for a problem set."""
        return MINUTES_A_GRADED_CELL * len(self.cells.get(ps, {})) / 60

    def set_link(self, ps: str) -> str:
        """A link to a problem set that exists, else its title."""
        number = list(self.given_out.values()).index(ps) + 1
        if ps in self.cells:
            return f"{{doc}}`set\N{NO-BREAK SPACE}{number} <../exercises/{ps}/{ps}>`"
        return f"set {number} (in preparation)"

    def chapter_link(self, name: str) -> str:
        """A link to a chapter that exists, else its title."""
        if name in self.counts:
            return f"{int(name[:2])} {{doc}}`{name}`"
        return f"{int(name[:2])} {self.titles[name]} (in preparation)"


def load(book: Path) -> Course:
    """Read the plan and count what exists of it."""
    chapters: list[str] = []
    titles, given_out = {}, {}
    for part in yaml.safe_load((book / "course.yml").read_text())["parts"]:
        for entry in part["chapters"]:
            chapters.append(Path(entry["page"]).name)
            titles[chapters[-1]] = entry["title"]
        given_out[chapters[-1]] = part["problem_set"]["id"]
    counts = {
        name: count((book / f"{name}.md").read_text())
        for name in chapters
        if (book / f"{name}.md").is_file()
    }
    cells = {ps: kit_answers.points(book.parent, ps) for ps in given_out.values()}
    return Course(chapters, titles, given_out, counts, {ps: c for ps, c in cells.items() if c})


def half(value: float) -> float:
    """Round hours to the half, so that a line of prose changes no table."""
    return round(2 * value) / 2


def hours(value: float) -> str:
    """Hours as they are shown."""
    return f"{value:g}" if value else "-"


def plan(course: Course, rows: list[tuple[str, str]]) -> str:
    """Return a table of weeks. A set is given out in its week and due in the next."""
    lines = [
        "| week | read | problem set out | due | reading | exercises | set | hours |",
        "|---:|---|---|---|---:|---:|---:|---:|",
    ]
    total = [0.0, 0.0, 0.0]
    due = ""
    for week, (name, out) in enumerate(rows, 1):
        counted = course.counts.get(name)
        parts = [  # rounded first, so that what is shown adds up
            half(counted.reading) if counted else 0,
            half(counted.practice) if counted else 0,
            half((course.set_hours(out) + course.set_hours(due)) / 2),
        ]
        total = [a + b for a, b in zip(total, parts, strict=True)]
        cells = [
            str(week),
            course.chapter_link(name) if name else "looking back",
            course.set_link(out) if out else "",
            course.set_link(due) if due else "",
            *map(hours, [*parts, sum(parts)]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        due = out
    lines.append("| | **in all** | | | " + " | ".join(map(hours, [*total, sum(total)])) + " |")
    return "\n".join(lines)


def weeks(book: Path) -> str:
    """Return the plan of the whole course: a chapter a week, and a week to look back."""
    course = load(book)
    rows = [(name, course.given_out.get(name, "")) for name in course.chapters]
    return plan(course, [*rows, ("", "")])


def short(book: Path) -> str:
    """Return the plan of the short course."""
    return plan(load(book), list(SHORT))


def rates(_: Path) -> str:
    """Return the sentence that says how hours were made."""
    return (
        f"Hours are counted, then multiplied: {WORDS_A_MINUTE} words of prose a minute,"
        f" {MINUTES_A_FORMULA:g} minutes for a displayed formula, {MINUTES_A_CELL:g} for a cell of"
        f" code that the page shows,\n{MINUTES_AN_EXERCISE} for an exercise of a chapter,"
        f" {MINUTES_A_GRADED_CELL} for a graded cell of a problem set."
        " Each figure is rounded to half an hour, words to five hundred."
    )


def counts(book: Path) -> str:
    """Return what was counted: chapters, then problem sets."""
    course = load(book)
    lines = [
        "| chapter | words | formulas | cells of code | exercises |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, found in course.counts.items():
        words = f"{500 * round(found.words / 500):,}"
        row = [course.chapter_link(name), words, found.formulas, found.cells, found.exercises]
        lines.append("| " + " | ".join(map(str, row)) + " |")
    lines += ["", "| problem set | graded cells | points |", "|---|---:|---:|"]
    for ps, cells in course.cells.items():
        lines.append(f"| {course.set_link(ps)} | {len(cells)} | {sum(cells.values()):g} |")
    return "\n".join(lines)
