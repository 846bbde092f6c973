"""The verbs: `python -m autograder VERB --help`."""

import argparse
import errno
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from autograder import sandbox
from autograder.course import UsageError

if TYPE_CHECKING:
    from autograder.course import Course

STOPPED = 130  # what a shell reports of a program ended by Ctrl-C

DESCRIPTION = "Release, grade and report problem sets written as nbgrader notebooks."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 not all is well, 2 wrong usage or a refusal."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except UsageError as error:
        _complain(*str(error).splitlines())
        return 2
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        _complain(f"stopped: {_reason(error)}; what is graded is kept")
        return 1
    except KeyboardInterrupt:
        return STOPPED


def _reason(error: Exception) -> str:
    """What stopped a run, and what to do about it."""
    text = (str(error).strip() or repr(error)).splitlines()[0]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({text}); free some space and give the same command again"
    if "disk is full" in text:
        return f"the disk is full ({text}); free some space and give the same command again"
    if "database is locked" in text:
        return (
            "the gradebook is locked by another program, such as a database browser; close it "
            "there and give the same command again"
        )
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder", description=DESCRIPTION)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    release = _verb(
        verbs,
        "release",
        "make the notebooks of instructors and students from the sources",
        "python -m autograder release              # every problem set\n"
        "python -m autograder release ps1_hmm --check",
    )
    release.add_argument("ps", nargs="*", metavar="PS", type=_name, help="default: all")
    release.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is out of date"
    )
    release.add_argument(
        "--force", action="store_true", help="overwrite a released notebook that somebody ran"
    )
    release.set_defaults(run=_release)

    grade = _verb(
        verbs,
        "grade",
        "mark submissions, and write gradebook.db, autograded/ and a class report",
        "python -m autograder grade ps1_hmm\n"
        "python -m autograder grade ps1_hmm --student andrei --student leonard --force\n"
        "python -m autograder grade ps1_hmm --course-dir _build/demo --json marks.json\n\n"
        "exit status: 0 every submission has its marks; 1 the grader failed on one; 2 wrong usage\n"
        "or a refusal; 130 stopped with Ctrl-C.\n\n"
        "Student code runs in a sandbox, as strong as this machine allows; `doctor` tells more.",
    )
    grade.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    grade.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only these; may be repeated"
    )
    grade.add_argument(
        "--jobs", type=_count, default=os.cpu_count() or 1, metavar="N", help="default: all cores"
    )
    grade.add_argument("--json", type=Path, metavar="FILE", help="write a row for each cell")
    grade.add_argument("--force", action="store_true", help="grade unchanged work again")
    grade.add_argument(
        "--dry-run", action="store_true", help="say what would be graded; run and write nothing"
    )
    _protection(grade)
    grade.set_defaults(run=_grade)

    check = verbs.add_parser(
        "check",
        help="for students: run the visible tests of a notebook, as grading would",
        description="For students: run a notebook in the sandbox that grading uses, and say which "
        "of its visible tests hold. The file is not changed.",
        epilog="example:\npython -m autograder check exercises/ps1_hmm/ps1_hmm.ipynb\n\n"
        "exit status: 0 every visible test holds; 1 one does not; 2 it is no such notebook",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    check.set_defaults(run=_check)

    report = _verb(
        verbs,
        "report",
        "write the class report from what was graded",
        "python -m autograder report ps1_hmm",
    )
    report.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    report.set_defaults(run=_report)

    feedback = _verb(
        verbs,
        "feedback",
        "write the page that each student gets back, into feedback/",
        "python -m autograder feedback ps1_hmm\n"
        "python -m autograder feedback ps1_hmm --student andrei\n\n"
        "A page shows points, what the tests said and the answer itself; of a hidden test only\n"
        "the message that its author wrote. Nothing on it loads anything.",
    )
    feedback.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    feedback.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only these; may be repeated"
    )
    feedback.set_defaults(run=_feedback)

    replay = _verb(
        verbs,
        "replay",
        "run one submission again as it was graded, for an appeal; no mark is changed",
        "python -m autograder replay ps1_hmm andrei\n"
        "python -m autograder replay ps1_hmm andrei --output appeal\n\n"
        "exit status: 0 every cell gets the points that it got; 1 one does not; 2 wrong usage",
    )
    replay.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    replay.add_argument("student", metavar="STUDENT", help="whose submission")
    replay.add_argument(
        "--output", type=Path, metavar="DIR", help="write the executed notebooks here, as they ran"
    )
    _protection(replay)
    replay.set_defaults(run=_replay)

    export = _verb(
        verbs,
        "export",
        "write the grades of a problem set as a CSV file",
        "python -m autograder export ps1_hmm          # ps1_hmm.csv, nbgrader's columns\n"
        "python -m autograder export ps1_hmm --to canvas --roster canvas_gradebook.csv\n"
        "python -m autograder export ps1_hmm --to moodle --roster worksheet.csv\n\n"
        "Who handed in nothing has 0 points in nbgrader's table and a blank elsewhere,\n"
        "which changes nothing there; --zero writes 0. With --roster, a file that Canvas\n"
        "(Gradebook, Export) or Moodle (grading worksheet) made, people are found by login,\n"
        "id or email.",
    )
    export.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    export.add_argument(
        "--to", choices=("nbgrader", "canvas", "moodle"), default="nbgrader", help="whose columns"
    )
    export.add_argument("--roster", type=Path, metavar="FILE", help="fill in this file's rows")
    export.add_argument("--zero", action="store_true", help="0 for who handed in nothing")
    export.add_argument(
        "--output", type=Path, metavar="FILE", help="default: PS.csv, PS_canvas.csv"
    )
    export.set_defaults(run=_export)

    bank = _verb(
        verbs,
        "bank",
        "grade an answer bank: right answers must get full marks, wrong ones lose their cells",
        "python -m autograder bank ps1_hmm\n"
        "python -m autograder bank ps1_hmm --task ps1-order2\n\n"
        "exit status: 0 every answer does what it must; 1 one does not; 2 wrong usage",
    )
    bank.add_argument("ps", metavar="PS", type=_name, help="name of the problem set")
    bank.add_argument(
        "--answers", type=Path, metavar="DIR", help="default: tests/answers/PS in the course folder"
    )
    bank.add_argument(
        "--task", action="append", default=[], metavar="ID", help="only these; may be repeated"
    )
    bank.add_argument(
        "--jobs", type=_count, default=os.cpu_count() or 1, metavar="N", help="default: all cores"
    )
    bank.add_argument(
        "--full", action="store_true", help="mark each answer on the tests of all tasks; slower"
    )
    _protection(bank)
    bank.set_defaults(run=_bank)

    doctor = verbs.add_parser(
        "doctor",
        help="say which protections are in force here, and how to get more",
        description="Try each protection for real and say what holds here.",
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _protection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rung",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="use this rung of protection although a stronger one may work; default: the strongest",
    )
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="grade even on rung 3, where student code can read your files and use your network",
    )


def _chosen(args: argparse.Namespace) -> sandbox.Protection:
    """The protection to work under, or a refusal."""
    protection = sandbox.best(args.rung)
    if protection.rung >= 3 and not args.unsafe:
        raise UsageError(
            "rung 3 is no sandbox: student code could read your files and use your network; "
            "`python -m autograder doctor` says how to get one; --unsafe grades all the same"
        )
    return protection


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    does: str,
    examples: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--course-dir", type=Path, default=Path("."), metavar="D", help="default: this folder"
    )
    return parser


def _name(text: str) -> str:
    """Take a problem set's name, also as the shell completes its folder."""
    if "/" in text.rstrip("/") or not text.strip("/."):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a problem set, such as ps1_hmm")
    return text.rstrip("/")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of 1 or more, not {text!r}")
    return int(text)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt  # leave as after Ctrl-C, with everything cleaned up


def _complain(*lines: str) -> None:
    for line in lines:
        shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
        print(f"autograder: {shown}", file=sys.stderr)


def _release(args: argparse.Namespace) -> int:
    from autograder import course, release

    here = course.load(args.course_dir)
    sets = args.ps or here.problem_sets()
    if not sets:
        raise UsageError(f"no problem set under {here.source('x').parent}")
    if args.check:
        lines = [line for ps in sets for line in release.check(here, ps)]
        _complain(*lines)
        if not lines:
            print(f"{', '.join(sets)}: up to date")
        return 1 if lines else 0
    for ps in sets:
        done = release.write(here, ps, force=args.force)
        for path in done.changed:
            print(f"{ps}: {path.relative_to(here.root)}")
        for path in done.left_alone:
            _complain(f"{path} was run, so somebody works in it: left alone (--force overwrites)")
        if not done.changed and not done.left_alone:
            print(f"{ps}: up to date")
    return 0


def _grade(args: argparse.Namespace) -> int:
    from autograder import changes, course, grade, report
    from autograder.progress import Progress

    if args.json and not args.json.absolute().parent.is_dir():
        raise UsageError(f"--json: no folder {args.json.absolute().parent}")
    for name in ("SIGTERM", "SIGHUP"):  # SIGHUP: the terminal was closed
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop)
    here = course.load(args.course_dir)
    if args.dry_run:
        return _say_what_would_be_done(here, args)
    protection = _chosen(args)
    result = grade.grade_class(
        here, args.ps, Progress(args.ps), args.student, args.jobs, args.force, protection
    )
    if args.json:
        grade.write_json(args.json, [row for entry in result.entries for row in entry.rows])
    for entry in result.entries:
        _complain(*(f"{entry.student}: {reason}: 0 points" for reason in entry.unreadable))
    faults = [row for entry in result.entries for row in entry.rows if row.points is None]
    faults = [row for row in faults if row.outcome == "grader_fault"]
    troubles: dict[str, list[str]] = {}
    for row in faults:
        known = troubles.setdefault(
            f"{row.student}/{row.notebook}: no mark given: {row.message}", []
        )
        known.append(row.cell)
    _complain(*(f"{trouble} ({', '.join(cells)})" for trouble, cells in troubles.items()))
    print(
        f"{args.ps}: {len(result.entries)} submissions, {len(result.graded)} graded now, "
        f"{len(result.unchanged)} unchanged"
    )
    if lines := changes.lines(result.before, result.entries, result.graded):
        print(f"{len(lines)} of {len(result.graded)} have other points than before:")
        print("\n".join(f"  {line}" for line in lines))
    print(f"class report: {report.write(here, args.ps)}")
    print(f"protection: {protection.label()}")
    return 1 if faults else 0


def _check(args: argparse.Namespace) -> int:
    from autograder import check

    protection = sandbox.best()
    if protection.rung >= 3:
        _complain(check.UNPROTECTED)
    looked = check.check(args.notebook, protection)
    tests = [one for one in looked if one.holds is not None]
    for one in tests:
        print(f"  holds    {one.cell}" if one.holds else f"  not yet  {one.cell}: {one.message}")
    for one in looked:
        if one.holds is None:
            print(f"  by hand  {one.cell}: a person will read it")
    for cell in check.changed_cells(args.notebook):
        _complain(f"the locked cell {cell} is not as it came; grading will put it back")
    good = sum(bool(one.holds) for one in tests)
    print(f"{good} of {len(tests)} tests hold as far as you can see; hidden ones may ask more")
    return int(good < len(tests))


def _say_what_would_be_done(here: "Course", args: argparse.Namespace) -> int:
    from autograder import grade

    works, unchanged = grade.what_would_be_done(
        here, args.ps, args.student, args.force, sandbox.best(args.rung)
    )
    for work in works:
        _complain(*(f"{work.student}: {reason}: 0 points" for reason in work.unreadable))
    people = ", ".join(work.student for work in works[:20]) + (", ..." if len(works) > 20 else "")
    print(f"{args.ps}: {len(works)} would be graded{': ' * bool(works)}{people}")
    print(f"{args.ps}: {len(unchanged)} unchanged; nothing was run or written")
    return 0


def _report(args: argparse.Namespace) -> int:
    from autograder import course, report

    print(f"class report: {report.write(course.load(args.course_dir), args.ps)}")
    return 0


def _feedback(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import track

    from autograder import course, feedback_pages

    here = course.load(args.course_dir)
    pages = feedback_pages.write(here, args.ps, args.student)
    console = Console(stderr=True)
    shown = track(pages, args.ps, console=console, disable=not console.is_terminal)
    written = [path for paths in shown for path in paths]
    where = written[0].parent.parent.parent if len(written) > 1 else written[0]
    print(f"{args.ps}: {len(written)} feedback pages: {where}")
    return 0


def _replay(args: argparse.Namespace) -> int:
    from autograder import course, replay
    from autograder.progress import Progress

    here = course.load(args.course_dir)
    progress = Progress(f"{args.ps}, {args.student}")
    done = replay.replay(here, args.ps, args.student, _chosen(args), progress)
    _complain(*(f"{reason}: 0 points" for reason in done.work.unreadable))
    print("\n".join(done.lines()))
    kept = "as when it was graded" if done.same_work else "not all as when it was graded"
    print(f"submission, source, grader and packages: {kept}")
    print("points: " + ("not the same" if done.differs else "the same in every cell"))
    for path in replay.save(done, args.output) if args.output else ():
        print(f"executed notebook, with all tests: {path}")
    return int(done.differs)


def _export(args: argparse.Namespace) -> int:
    from autograder import course, export

    if args.to == "nbgrader" and (args.roster or args.zero):
        raise UsageError("--roster and --zero belong to --to canvas or --to moodle")
    table = export.read(course.load(args.course_dir), args.ps)
    suffix = "" if args.to == "nbgrader" else f"_{args.to}"
    path = args.output or Path(f"{args.ps}{suffix}.csv")
    if args.to == "nbgrader":
        done = export.Exported(export.nbgrader(table), [], [])
    else:
        fill = export.canvas if args.to == "canvas" else export.moodle
        done = fill(table, args.roster, args.zero)
    export.write(path, done.text)
    waiting = [grade.student for grade in table.grades if grade.waits]
    for people, what in (
        (waiting, "have marks still to be given by hand, which count 0 so far"),
        (done.not_in_roster, "are graded here, but not in the roster: nothing is written of them"),
        (done.not_graded, "are in the roster, but have no grade here"),
    ):
        if people:
            shown = ", ".join(people[:8]) + (", ..." if len(people) > 8 else "")
            _complain(f"{len(people)} {what}: {shown}")
    graded = sum(grade.score is not None for grade in table.grades)
    print(f"{args.ps}: {graded} graded of {len(table.grades)} students in {path}")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from autograder import doctor

    print("\n".join(doctor.run()))
    return 0


def _bank(args: argparse.Namespace) -> int:
    from autograder import bank, course
    from autograder.progress import Progress

    here = course.load(args.course_dir)
    folder = args.answers or here.root / "tests" / "answers" / args.ps
    answers = bank.load(folder)
    if unknown := sorted(set(args.task) - {answer.task for answer in answers}):
        raise UsageError(f"no answers to {', '.join(unknown)} in {folder}")
    if args.task:
        answers = [answer for answer in answers if answer.task in args.task]
    progress = Progress(f"{args.ps}, answer bank")
    verdicts = bank.check(here, args.ps, answers, args.jobs, progress, args.full, _chosen(args))
    print(bank.matrix(verdicts))
    wrong = sum(bool(verdict.problems) for verdict in verdicts)
    print(f"{len(verdicts)} answers, {wrong} not as they must be")
    return 1 if wrong else 0
