"""Who gains and who loses when a class is graded again."""

from collections.abc import Collection, Mapping, Sequence

from autograder.journal import Entry


def lines(
    before: Mapping[str, Entry], entries: Sequence[Entry], graded: Collection[str]
) -> list[str]:
    """Return a line for each student graded now whose points are others than before.

    before: what the journal held, by student. A cell that is new or gone, or waits for a person,
    is no change.
    """
    found = []
    for entry in entries:
        old = before.get(entry.student)
        if old is None or entry.student not in graded:
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
