"""The published table: what student code cannot do, by rung and by Landlock's version.

It is data, so that the reports, `doctor` and the book say the same. Every line stands for tests in
tests/autograder/sandbox; what a line promises was tried, and what it does not promise too.
"""

from dataclasses import dataclass

from autograder.sandbox.protection import Protection

Cell = bool | str  # held, not held, or held as far as the words say

KERNELS = {1: "5.13", 2: "5.19", 3: "6.2", 4: "6.7", 5: "6.10", 6: "6.12", 7: "6.15"}
ADDS = {
    1: "files outside the job's folder are closed; no looking into other processes",
    2: "files may move between the job's own folders (refused below)",
    3: "files outside cannot be cut short",
    4: "TCP is closed a second time",
    5: "devices take no commands",
    6: "no signals and no abstract sockets out of the job, a second time",
    7: "what is refused fills no log",
}


@dataclass(frozen=True)
class Line:
    """One thing that student code must not do, and where it is held."""

    what: str
    rung_1: Cell
    rung_2: Cell
    rung_3: Cell
    abi: int = 0  # on rung 2: the version of Landlock from which it is held
    by: str = ""  # switches that undo it: any of them, or all of those joined by +


GONE = {"world", "pids", "landlock", "seccomp", "network"}  # what rung 3 does not have
WATCH = "yes, by sampling: a burst between two looks gets through"
TABLE = (
    Line(
        "read the course, the gradebook or another submission",
        True,
        True,
        False,
        1,
        "world+landlock",
    ),
    Line("write, move or remove files outside its folder", True, True, False, 1, "world+landlock"),
    Line("cut files of the grader's user short", True, True, False, 3, "world+landlock"),
    Line(
        "learn that a file exists, its size and times",
        True,
        False,
        False,
        by="world",
    ),
    Line("reach any network, loopback included", True, True, False, by="network"),
    Line("reach a program on this machine by its socket", True, True, False, by="network"),
    Line(
        "see other processes",
        True,
        "yes, but for which numbers are in use",
        False,
        1,
        "pids+landlock",
    ),
    Line(
        "signal another process",
        True,
        True,
        "as root yes: each job is a user of its own; else no",
        by="pids+landlock+seccomp",
    ),
    Line(
        "read or change another process, so the hidden tests in the checker",
        True,
        True,
        "as root yes: each job is a user of its own; else no",
        1,
        "pids+landlock",
    ),
    Line(
        "leave a process behind",
        True,
        "yes: all are killed one by one",
        "on Linux yes: all are killed one by one; else no",
        by="pids+reap",
    ),
    Line(
        "leave a file behind",
        True,
        "yes; started by an ordinary user, but in /dev/shm",
        "as root yes: what belongs to the job's user is removed; else no",
    ),
    Line(
        "start more processes than allowed",
        True,
        "yes; started by an ordinary user, all of that user's processes count",
        "yes; started by an ordinary user, all of that user's processes count",
        by="rlimits",
    ),
    Line(
        "use more memory than allowed, all processes together",
        WATCH + "; data waiting in sockets may come to as much again",
        WATCH + "; data waiting in sockets may add 55 MB a process",
        WATCH + "; memory without a name and sockets are not counted",
        by="memory",
    ),
    Line("hide memory in files without a name", True, True, False, by="seccomp"),
    Line("use more processor time than allowed", True, True, True, by="cpu"),
    Line(
        "use more disk than allowed",
        True,
        WATCH + "; /dev/shm is shared and is not counted",
        WATCH + "; elsewhere the user's own limits hold",
        by="disk",
    ),
    Line("write files bigger than allowed", True, True, True, by="rlimits"),
    Line("use descriptors of the grader", True, True, True, by="fds"),
    Line("gain rights by running a program", True, True, "on Linux yes"),
    Line("act as root where root started the grader", True, True, True, by="uid"),
    Line("give commands to devices", True, True, False, 5, "world+landlock"),
    Line(
        "use ptrace, bpf, io_uring, mounts, other kernel corners", True, True, False, by="seccomp"
    ),
)


def state(line: Line, protection: Protection, abi: int) -> Cell:
    """Say whether a line holds under a protection with this version of Landlock."""
    off = protection.without | {1: set(), 2: {"world", "pids"}, 3: GONE}[protection.rung]
    if any(set(group.split("+")) <= off for group in line.by.split()):
        return False
    if protection.rung == 2 and abi < line.abi:
        return False
    return (line.rung_1, line.rung_2, line.rung_3)[protection.rung - 1]


def sentences(protection: Protection, abi: int) -> list[str]:
    """Say the table's column for a protection in plain sentences."""
    said = []
    for line in TABLE:
        cell = state(line, protection, abi)
        if isinstance(cell, str) and cell.startswith("yes"):
            said.append(f"Student code cannot {line.what}{cell.removeprefix('yes')}.")
        elif isinstance(cell, str):
            said.append(f"Student code is kept from this ({cell}): {line.what}.")
        elif cell:
            said.append(f"Student code cannot {line.what}.")
        else:
            said.append(f"Student code CAN {line.what}.")
    return said


def markdown() -> str:
    """Write the table for the book."""
    head = ["student code cannot", "rung 1", "rung 2", "rung 3"]
    rows = [head, ["---"] * len(head)]
    for line in TABLE:
        middle = _word(line.rung_2)
        if line.abi > 1:
            middle += f", from Landlock {line.abi} (Linux {KERNELS[line.abi]})"
        rows.append([line.what, _word(line.rung_1), middle, _word(line.rung_3)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _word(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "yes" if cell else "**no**"
