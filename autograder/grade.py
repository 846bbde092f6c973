"""Grade a class: the coordinator, and the only process that writes marks."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import filelock
import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute, IgnorePattern, LimitOutput

from autograder import journal, release, run, sandbox, scoring, split, submission
from autograder.course import Course, UsageError
from autograder.gradebook import Book, read_timestamp
from autograder.journal import REFERENCE, Entry, Journal
from autograder.plan import Plan, limits_of
from autograder.progress import Progress
from autograder.release import Released
from autograder.sandbox import Protection
from autograder.scoring import Row, Where
from autograder.submission import Unreadable

# what a library imports only when something of it is first used, and takes a second for
LATE_IMPORTS = {"optim": "torch._dynamo"}
MAX_FILES, MAX_FILES_BYTES = 500, 64 * 2**20
FILES_RULE = f"at most {MAX_FILES} files of {MAX_FILES_BYTES // 2**20} MiB together are graded"


@dataclass
class Work:
    """One submission on its way through the grader."""

    student: str
    folder: Path
    key: str = ""
    files: dict[Path, Path] = field(default_factory=dict)  # handed in beside the notebooks
    jobs: list[run.Job] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    executed: dict[str, NotebookNode] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # of each cell, `notebook/cell`

    @property
    def unanswered(self) -> set[tuple[str, str]]:
        """Solution cells left as they were released, by notebook and name."""
        return {(n, cell) for n, nb in self.executed.items() for cell in scoring.unanswered(nb)}


class Grader:
    """Everything known about a problem set while a class is graded."""

    def __init__(self, course: Course, ps: str, protection: Protection) -> None:
        self.course, self.ps = course, ps
        release.require_fresh(course, ps)
        self.protection = protection.label()
        self.released = {p.stem: release.convert(course, p) for p in course.notebooks(ps)}
        self.source_files = release.shipped_files(course, ps)
        texts = [p.read_text() for p in course.notebooks(ps)]
        self.source_key = journal.source_key(course, ps, [*texts, self.protection])
        self.journal = Journal(course, ps)
        sources = {p.stem: nbformat.read(p, 4) for p in course.notebooks(ps)}
        self.imports = {name: split.imports(nb) for name, nb in sources.items()}
        text = "\n".join(c.source for nb in sources.values() for c in nb.cells)
        self.late = {module for word, module in LATE_IMPORTS.items() if word in text}
        timeout_s = Execute(config=course.config).timeout
        limits = limits_of(course)
        self.plans = {
            n: Plan.of(r.master, self.imports[n], timeout_s, limits, split.bound(sources[n]))
            for n, r in self.released.items()
        }
        self.tidy = [stage(config=course.config) for stage in (IgnorePattern, LimitOutput)]

    @property
    def preload(self) -> list[str]:
        """Modules that the notebooks import, as far as is known."""
        texts = [text for imports in self.imports.values() for text in imports.values()]
        names = {line.split()[1] for text in texts for line in text.splitlines()}
        known = self.journal.entries.get(REFERENCE)
        return sorted(names | self.late) + (known.modules if known else [])

    @property
    def knows_reference(self) -> bool:
        """Whether the reference answer, as it is now, has been graded."""
        return self.journal.done(REFERENCE, self.source_key)

    def check_reference(self, pool: run.Pool, progress: Progress, force: bool) -> None:
        """Grade the reference answer, or refuse the run: its tests would be wrong about others."""
        if self.knows_reference and not force:
            return
        progress.say("the reference answer is graded first")
        jobs = []
        for path in self.course.notebooks(self.ps):
            nb, _ = submission.put_right(submission.read(path), self.released[path.stem])
            files = self.source_files
            plan = self.plans[path.stem]
            jobs.append(run.Job("reference answer", path.stem, nb, plan, files, files, learn=True))
        done = sorted(pool.execute(jobs), key=lambda ran: ran.job.name)  # in no chance order
        rows = [row for ran in done for row in self._rows(ran)]
        low = [r for r in rows if r.outcome != "manual" and (r.points or 0.0) < r.max_points]
        if low:
            lines = [f"reference answer, {r.cell}: {r.outcome}: {r.message}" for r in low]
            lines.append(
                f"the reference answer of {self.ps} does not get full marks; nobody was graded; "
                "mend the tests or the answer"
            )
            raise UsageError("\n".join(lines))
        modules = sorted({name for ran in done for name in ran.modules})
        pool.learn(modules)
        granted = {
            ran.job.name: {cell: list(names) for cell, names in ran.granted.items()} for ran in done
        }
        self.journal.add(Entry(REFERENCE, self.source_key, rows, modules=modules, granted=granted))

    def plan(self, students: Sequence[str], force: bool, graded: set[str]) -> list[Work]:
        """Read submissions; leave out those whose very work is graded and kept."""
        works = []
        for student in students:
            work = Work(student, self.course.submitted(student, self.ps))
            if self.course.is_linked(work.folder):  # it could lead to the reference answer
                self._refuse(work, "the folder is a symbolic link; hand in the files themselves")
                works.append(work)
                continue
            try:
                work.files = self._bounded(work)
                own = {Path(f"{n}.ipynb"): work.folder / f"{n}.ipynb" for n in self.released}
                present = {n: p for n, p in own.items() if p.is_file() and not p.is_symlink()}
                work.key = journal.submission_key(self.source_key, work.files | present)
            except OSError as error:  # this submission's fault, nobody else's
                work.files = {}
                self._refuse(work, f"cannot be read: {error}")
                works.append(work)
                continue
            kept = student in graded and self.course.autograded(student, self.ps).is_dir()
            if kept and not force and self.journal.done(student, work.key):
                continue
            for name, released in self.released.items():
                self._read(work, name, released, work.files | self.source_files)
            works.append(work)
        return works

    def _bounded(self, work: Work) -> dict[Path, Path]:
        """The files handed in beside the notebooks, as far as there is room for them."""
        kept: dict[Path, Path] = {}
        room = MAX_FILES_BYTES
        for name, path in self.course.extra_files(work.folder).items():
            size = path.stat().st_size
            if size > room or len(kept) >= MAX_FILES:
                shown = submission.printable(str(name))
                work.notes.append(f"{shown}: left out; {FILES_RULE}")
            else:
                kept[name], room = path, room - size
        return kept

    def _refuse(self, work: Work, why: str) -> None:
        for name, released in self.released.items():
            where = Where(work.student, self.ps, name)
            work.rows += scoring.same_for_all(where, released.master, "error", f"{name}: {why}")
        work.unreadable.append(why)

    def _read(self, work: Work, name: str, released: Released, files: dict[Path, Path]) -> None:
        path = work.folder / f"{name}.ipynb"
        where = Where(work.student, self.ps, name)
        if not os.path.lexists(path):
            message = f"{name}.ipynb was not handed in{self._instead(work)}"
            work.rows += scoring.same_for_all(where, released.master, "missing", message)
            work.unreadable.append(message)
            return
        try:
            nb, notes = submission.put_right(submission.read(path), released)
        except (Unreadable, OSError) as error:
            message = f"{name}.ipynb {error}"
            work.rows += scoring.same_for_all(where, released.master, "error", message)
            work.unreadable.append(message)
            return
        work.notes += [f"{name}: {note}" for note in notes]
        granted = self.journal.entries[REFERENCE].granted[name]
        plan, shipped = self.plans[name], self.source_files
        job = run.Job(work.student, name, nb, plan, files, shipped, granted=granted)
        work.jobs.append(job)

    def _instead(self, work: Work) -> str:
        """Name notebooks of a submission that nobody asked for: one may only have a wrong name."""
        own = {f"{name}.ipynb" for name in self.released}
        found = sorted(path.name for path in work.folder.glob("*.ipynb") if path.name not in own)
        shown = ", ".join(submission.printable(name) for name in found[:3])
        return f"; there is {shown}: if that is it, rename it and grade again" if found else ""

    def _rows(self, ran: run.Ran) -> list[Row]:
        where = Where(ran.job.student, self.ps, ran.job.name)
        master = self.released[ran.job.name].master
        if ran.notebook is None:
            return scoring.same_for_all(where, master, "grader_fault", ran.fault)
        try:
            return scoring.score(where, master, ran.notebook)
        except Exception as error:  # nobody else's marks may depend on this notebook
            fault = f"the executed notebook cannot be marked: {error!r}"
            return scoring.same_for_all(where, master, "grader_fault", fault)

    def finished(self, works: Sequence[Work], pool: run.Pool) -> Iterator[Work]:
        """Execute the notebooks of all submissions; yield each submission when it is complete."""
        waiting = {work.student: work for work in works}
        yield from (work for work in works if not work.jobs)
        left = {work.student: len(work.jobs) for work in works}
        for ran in pool.execute([job for work in works for job in work.jobs]):
            work = waiting[ran.job.student]
            work.rows += self._rows(ran)
            work.seconds |= {f"{ran.job.name}/{cell}": s for cell, s in ran.seconds.items()}
            if ran.notebook is not None:
                nb = ran.notebook
                for stage in self.tidy:
                    nb, _ = stage.preprocess(nb, {})
                work.executed[ran.job.name] = nb
            left[work.student] -= 1
            if not left[work.student]:
                yield work

    def keep(self, work: Work, book: Book) -> Entry:
        """Write one submission's graded notebooks, its marks, and that it is done."""
        stamp = work.folder / "timestamp.txt"
        text = ""
        if stamp.is_file() and not stamp.is_symlink():
            with stamp.open("rb") as file:
                text = file.read(100).decode(errors="replace").strip()
        handed_in = read_timestamp(text)
        if text and handed_in is None:
            shown = submission.printable(text)
            work.notes.append(f"timestamp.txt holds no time ({shown}): counted as on time")
        order = {row: i for i, row in enumerate(self._order())}
        rows = sorted(work.rows, key=lambda row: order[row.notebook, row.cell])
        lost = {row.notebook for row in rows if row.outcome == "grader_fault"} - set(work.executed)
        if lost and self.course.autograded(work.student, self.ps).is_dir():
            # our failure must not cost marks that stand; the next run tries again
            notes = [*work.notes, "what an earlier run graded is still in the gradebook"]
            entry = Entry(work.student, work.key, rows, notes, work.unreadable)
            self.journal.add(entry)
            return entry
        self._write_autograded(work)
        late_s = book.record(work.student, handed_in, rows, work.unanswered)
        entry = Entry(
            work.student,
            work.key,
            rows,
            work.notes,
            work.unreadable,
            late_s,
            self.protection,
            seconds=work.seconds,
        )
        self.journal.add(entry)
        return entry

    def look_at_lateness(self, student: str, book: Book) -> None:
        """Look again by how much an unchanged submission was late."""
        entry, late_s = self.journal.entries[student], book.late_s(student)
        if late_s != entry.late_s:
            self.journal.add(replace(entry, late_s=late_s))

    def _order(self) -> list[tuple[str, str]]:
        return [
            (name, submission.grade_id(cell) or "")
            for name, released in self.released.items()
            for cell in released.master.cells
            if submission.carries_points(cell)
        ]

    def _write_autograded(self, work: Work) -> None:
        """Put a submission's graded notebooks where nbgrader looks, whole or not at all."""
        target = self.course.autograded(work.student, self.ps)
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            for name, path in (work.files | self.source_files).items():
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, partial / name)
            for stem, nb in work.executed.items():
                text = json.dumps(nb, ensure_ascii=False)  # nbformat takes ten times as long
                (partial / f"{stem}.ipynb").write_bytes(text.encode(errors="replace") + b"\n")
            for path in partial.rglob("*"):
                if path.is_file():  # as nbgrader leaves them
                    path.chmod(0o664 if self.course.directory.groupshared else 0o444)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def what_would_be_done(
    course: Course,
    ps: str,
    students: Sequence[str] = (),
    force: bool = False,
    protection: Protection | None = None,
) -> tuple[list[Work], list[str]]:
    """Return the submissions that a run would grade, and who is unchanged; writes nothing."""
    grader = Grader(course, ps, protection or sandbox.best())
    chosen = _chosen(course, ps, students)
    if force or not grader.knows_reference:  # then no mark that stands counts
        return [Work(student, course.submitted(student, ps)) for student in chosen], []
    works = grader.plan(chosen, force, set(grader.journal.entries))
    todo = {work.student for work in works}
    return works, [student for student in chosen if student not in todo]


def _chosen(course: Course, ps: str, students: Sequence[str]) -> list[str]:
    """Return whose submissions are meant; UsageError if there are none, or not of all of them."""
    handed_in = course.students(ps)
    if unknown := sorted(set(students) - set(handed_in)):
        raise UsageError(
            f"no submission of {ps} by {', '.join(unknown)} at "
            f"{course.submitted(unknown[0], ps)}; there are: {', '.join(handed_in) or 'none'}"
        )
    chosen = sorted(set(students)) or handed_in
    if not chosen:
        raise UsageError(
            f"nobody handed in {ps}: no folder {course.submitted('STUDENT', ps)}; "
            "collect submissions first"
        )
    return chosen


@contextlib.contextmanager
def _only_run(course: Course) -> Iterator[None]:
    """Let one run at a time write marks in a course; the system lets go when a run is killed."""
    folder = course.root / ".autograder"
    folder.mkdir(exist_ok=True)
    lock = filelock.FileLock(folder / "run.lock", blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(
            f"another run is grading in {course.root}; wait until it is done, or stop it"
        ) from None
    try:
        yield
    finally:
        lock.release()


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSON, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps([row.to_dict() for row in rows], indent=1) + "\n")
    partial.replace(path)


@dataclass(frozen=True)
class Result:
    """What a run did, and all that is known of the class after it."""

    graded: list[str]
    unchanged: list[str]
    entries: list[Entry]  # of the students of this run, graded now or before
    # all that the journal held when changes were last told, and all that it holds now
    before: Mapping[str, Entry] = field(default_factory=dict)
    now: Mapping[str, Entry] = field(default_factory=dict)


def grade_class(
    course: Course,
    ps: str,
    progress: Progress,
    students: Sequence[str] = (),
    jobs: int = 1,
    force: bool = False,
    protection: Protection | None = None,
) -> Result:
    """Grade a problem set for a class, or for some of its students.

    Raises UsageError before anything is graded if the class cannot be graded as it is. Whatever
    stops it later, each submission is either graded and recorded or as it was before.
    """
    protection = protection or sandbox.best()
    done: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_run(course))  # before the journal is read
        grader = Grader(course, ps, protection)
        chosen = _chosen(course, ps, students)
        before = dict(grader.journal.told)
        stack.enter_context(progress)
        pool = stack.enter_context(run.Pool(jobs, course.root, protection, grader.preload))
        if force or not grader.knows_reference:
            pool.begin()  # while nbgrader makes the gradebook, which takes seconds if it is new
        with Book(course, ps) as book:
            grader.check_reference(pool, progress, force)
            book.save_source({name: r.master for name, r in grader.released.items()})
            works = grader.plan(chosen, force, book.known_students())
            progress.begin(len(works))
            for work in grader.finished(works, pool):
                progress.advance(grader.keep(work, book))
                done.append(work.student)
            unchanged = sorted(set(chosen) - set(done))
            for student in unchanged:  # the due date may have been moved since
                grader.look_at_lateness(student, book)
    entries = [grader.journal.entries[student] for student in chosen]
    return Result(done, unchanged, entries, before, grader.journal.entries)
