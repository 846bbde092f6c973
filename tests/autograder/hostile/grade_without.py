"""Grade with single protections switched off: `grade_without.py COURSE JSON SWITCH...`."""

import sys
from pathlib import Path

from hostile_course import PS

from autograder import course, grade
from autograder.progress import Progress
from autograder.sandbox import Protection, best


def main(root: str, marks: str, *switches: str) -> int:
    """Grade everybody, on the rung that works here, without what the switches name."""
    protection = Protection(best().rung, without=frozenset(switches))
    done = grade.grade_class(
        course.load(Path(root)), PS, Progress(PS), jobs=2, protection=protection
    )
    grade.write_json(Path(marks), [row for entry in done.entries for row in entry.rows])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
