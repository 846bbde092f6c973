"""Remember what was graded from what, so that unchanged work is not done again.

One file a problem set beside the gradebook, one JSON object a line, the last line about a student
counts. A key is a hash of everything a mark depends on.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.course import CONFIG_NAME, Course
from autograder.scoring import Row

# what bears on no mark; a change of the report alone grades nothing again
NOT_MARKING = {
    "__main__",
    "bank",
    "changes",
    "check",
    "cli",
    "doctor",
    "export",
    "feedback_pages",
    "journal",
    "marks",
    "progress",
    "replay",
    "report",
    "start",
}
TOLD = {"told": True}  # a line of the journal that is about no student
REFERENCE = ""  # the reference answer is kept under the name no student can have


@dataclass(frozen=True)
class Entry:
    """The outcome of one submission."""

    student: str
    key: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)  # what was put right in the submission
    unreadable: list[str] = field(default_factory=list)  # notebooks that could not be read, and why
    late_s: int = 0
    protection: str = ""  # what student code was kept from when this was graded
    modules: list[str] = field(default_factory=list)  # what the reference answer imports
    # of the reference answer, by notebook and test cell: what its objects were asked to judge
    granted: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by the clock, by `notebook/cell`

    @property
    def settled(self) -> bool:
        """Whether the grader did its part; its own faults are tried again."""
        return all(row.outcome != "grader_fault" for row in self.rows)


class Journal:
    """The journal of one problem set."""

    def __init__(self, course: Course, ps: str) -> None:
        self.path = course.root / ".autograder" / f"{ps}.jsonl"
        self.entries: dict[str, Entry] = {}
        told: dict[str, Entry] | None = None
        self.all_told = False
        text = self.path.read_text(errors="replace") if self.path.is_file() else ""
        for line in text.splitlines():
            try:
                values = json.loads(line)
                if values == TOLD:
                    told, self.all_told = dict(self.entries), True
                    continue
                rows = [Row(**row) for row in values.pop("rows")]
                entry = Entry(rows=rows, **values)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # half a line from a run that was killed, or another version's
            self.entries[entry.student], self.all_told = entry, False
        # what stood when the last run told who has other points than before: of what a run graded
        # that was killed, nobody has been told yet
        self.told = dict(self.entries) if told is None else told

    def done(self, student: str, key: str) -> bool:
        """Whether this very work has been graded."""
        entry = self.entries.get(student)
        return entry is not None and entry.key == key and entry.settled

    def add(self, entry: Entry) -> None:
        """Remember one submission, at once and for good."""
        self.entries[entry.student], self.all_told = entry, False
        self._append(asdict(entry))

    def tell(self) -> None:
        """Remember that all changes up to here were told."""
        if not self.all_told:
            self._append(TOLD)
            self.told, self.all_told = dict(self.entries), True

    def _append(self, values: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size:  # a run that was killed may have left half a line
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(values).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def source_key(course: Course, ps: str, masters: Iterable[str]) -> str:
    """Hash of what all marks of a problem set depend on: source, grader, settings, packages."""
    here = Path(__file__).parent
    config = course.root / CONFIG_NAME
    parts: dict[str, bytes] = {f"master {i}": text.encode() for i, text in enumerate(masters)}
    parts |= _contents(course.extra_files(course.source(ps)))
    stages = [p for p in sorted(here.rglob("*.py")) if p.stem not in NOT_MARKING]
    parts |= {str(p.relative_to(here)): p.read_bytes() for p in stages}
    parts["config"] = config.read_bytes() if config.is_file() else b""
    parts["packages"] = "\n".join(_packages()).encode()
    return _digest(parts)


def _packages() -> list[str]:
    """What is installed, with versions: the names of the folders that pip leaves."""
    found = (Path(place).glob("*.dist-info") for place in sys.path if Path(place).is_dir())
    return sorted({path.name for folder in found for path in folder})


def submission_key(source: str, files: Mapping[Path, Path]) -> str:
    """Hash of one submission and of everything its marks depend on besides."""
    return _digest({"source": source.encode(), **_contents(files)})


def _contents(files: Mapping[Path, Path]) -> dict[str, bytes]:
    found = {}
    for name, path in files.items():
        with path.open("rb") as file:
            found[f"file {name}"] = hashlib.file_digest(file, "sha256").digest()
    return found


def _digest(parts: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(parts.items()):
        # a file's name may hold any bytes, when it was packed elsewhere
        digest.update(f"{name} {len(content)}\n".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()
