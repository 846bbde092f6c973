"""Who gains and who loses when a class is graded again."""

from collections.abc import Mapping

from autograder.journal import REFERENCE, Entry


def lines(before: Mapping[str, Entry], now: Mapping[str, Entry]) -> list[str]:
    """Return a line for each student whose points are others than before.

    before: what stood when this was last told, by student; it may be older than the last run, if
    that was killed. A cell that is new or gone, or waits for a person, is no change.
    """
    found = []
    for student, entry in sorted(now.items()):
        old = before.get(student)
        if old is None or student == REFERENCE:
            continue
        had = {(row.notebook, row.cell): row.points for row in old.rows if row.points is not None}
        moved = [
            (row.cell, row.points - had[row.notebook, row.cell])
            for row in entry.rows
            if row.points is not None and (row.notebook, row.cell) in had
        ]
        moved = [(cell, change) for cell, change in moved if change]
        if moved:
            total = sum(change for _, change in moved)
            told = ", ".join(f"{cell} {change:+g}" for cell, change in moved)
            found.append(f"{entry.student}: {total:+g} points ({told})")
    return found
