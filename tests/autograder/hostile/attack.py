"""What an attack is, what is known after it, and how one tells whether it worked.

An attack carries one predicate, `won`. It must be false after a run of the grader and true where
the protection that the attack aims at is missing, so that no test can pass because the attack is
broken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from hostile_course import GOOD, POINTS, HostileCourse

ONE_PROCESS = "one process"  # all cells, tests included, in one process: stock nbgrader
NAIVE = "naive"  # a reader, a decoder or a printer that trusts what it is given


@dataclass
class Evidence:
    """All that is known about one student after a run."""

    name: str
    points: dict[str, float | None] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    printed: str = ""  # text of all outputs in the student's executed notebooks
    raw: str = ""  # the executed notebooks as they are stored
    told: str = ""  # what the student may read
    said: str = ""  # what the whole run wrote for people: terminal, JSON file, report
    page: str = ""  # what the whole run wrote for a browser
    reached: str = ""  # what came in at servers outside
    left: list[str] = field(default_factory=list)  # names of processes left after the run
    outside: Path = Path()  # a folder outside, where anybody may write
    course: Path = Path()
    secrets: dict[str, str] = field(default_factory=dict)
    felt: str = ""  # what happened to a process outside
    others_whole: bool = True
    run_whole: bool = True  # the run ended as it should


Predicate = Callable[[Evidence], bool]


def says_won(e: Evidence) -> bool:
    """Tell whether the attack's own code saw itself succeed; printed as @WON@."""
    return won_text(e.name) in e.printed


def won_text(name: str) -> str:
    """The words that @WON@ gives."""
    return f"WON {name}!"


def earned(cell: str) -> Predicate:
    """Points for a cell that deserves none."""
    return lambda e: (e.points.get(cell) or 0) > 0


def costs(cell: str) -> Predicate:
    """No points for a cell that deserves them."""
    return lambda e: not e.points.get(cell)


def learns(secret: str) -> Predicate:
    """A secret is in the student's own outputs."""
    return lambda e: e.secrets[secret] in e.printed


def is_told(secret: str) -> Predicate:
    """A secret is in what the student is given back."""
    return lambda e: e.secrets[secret] in e.told


def gets_through(e: Evidence) -> bool:
    """Tell whether a server outside was reached."""
    return f"<{e.name}>" in e.reached


def stays(e: Evidence) -> bool:
    """Tell whether a process outlived the run."""
    return e.name[:15] in e.left


def writes(e: Evidence) -> bool:
    """Tell whether a file outside was written."""
    folders = (e.outside, e.course, e.course / "autograded")
    return any((folder / f"loot-{e.name}").exists() for folder in folders)


def hurts_others(e: Evidence) -> bool:
    """Tell whether anybody else lost marks."""
    return not e.others_whole


def felt(what: str) -> Predicate:
    """A process outside felt something."""
    return lambda e: what in e.felt


Off = frozenset[str] | str


@dataclass(frozen=True)
class Attack:
    """One hostile submission."""

    name: str
    aims_at: str
    won: Predicate
    off: Off  # names of switches; ONE_PROCESS or NAIVE
    cells: Mapping[str, str] = field(default_factory=dict)
    edit: Callable[[HostileCourse, Path], None] | None = None  # change the folder handed in
    expect: Mapping[str, str] = field(default_factory=dict)  # allowed outcomes, if not "passed"
    naive: str = ""  # a program that falls: what it prints counts as printed
    as_root: bool = False  # without its protection it works for root alone
    last_rung: int = 2  # the lowest rung on which it must fail, as the published table says


def attack(
    name: str,
    aims_at: str,
    won: Predicate,
    off: str,
    expect: Mapping[str, str] | None = None,
    edit: Callable[[HostileCourse, Path], None] | None = None,
    naive: str = "",
    as_root: bool = False,
    last_rung: int = 2,
    **cells: str,
) -> Attack:
    """Make an attack; `off` names switches with spaces between, or one of the two ways.

    A cell's text that does not define the function asked for gets the honest answer at its end.
    """
    text = {}
    for cell, source in cells.items():
        source = dedent(source).strip("\n")
        if cell in GOOD and f"def {cell}(" not in source and f"{cell} =" not in source:
            source += f"\n\n{GOOD[cell]}"
        text[cell] = source
    switches: Off = off if off in (ONE_PROCESS, NAIVE) else frozenset(off.split())
    return Attack(name, aims_at, won, switches, text, edit, expect or {}, dedent(naive), as_root)


def wrong_marks(attack: Attack, e: Evidence) -> list[str]:
    """What is wrong with the marks of an attacker: one line for each cell."""
    wrong = []
    for cell, most in POINTS.items():
        allowed = attack.expect.get(cell, "passed").split()
        outcome, points = e.outcomes.get(cell, "no row"), e.points.get(cell)
        right = most if outcome == "passed" else 0.0
        if outcome not in allowed or points != right:
            wrong.append(f"{cell}: {outcome}, {points} points; expected {' or '.join(allowed)}")
    return wrong
