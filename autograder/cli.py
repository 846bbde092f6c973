"""The verbs: `python -m autograder VERB --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.course import UsageError

DESCRIPTION = "Release, grade and report problem sets written as nbgrader notebooks."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 not all is well, 2 wrong usage or a refusal."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except UsageError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("autograder: stopped", file=sys.stderr)
        return 130


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
    release.add_argument("ps", nargs="*", metavar="PS", help="problem sets; default: all")
    release.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is out of date"
    )
    release.add_argument(
        "--force", action="store_true", help="overwrite a released notebook that somebody ran"
    )
    release.set_defaults(run=_release)
    return parser


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


def _release(args: argparse.Namespace) -> int:
    from autograder import course, release
    from autograder.source import SourceError

    here = course.load(args.course_dir)
    sets = args.ps or here.problem_sets()
    if not sets:
        raise UsageError(f"no problem set under {here.source('x').parent}")
    try:
        if args.check:
            lines = [line for ps in sets for line in release.check(here, ps)]
            print(
                "\n".join(lines) or f"{', '.join(sets)}: up to date",
                file=sys.stderr if lines else None,
            )
            return 1 if lines else 0
        for ps in sets:
            changed = release.write(here, ps, force=args.force)
            for path in changed:
                print(f"{ps}: {path.relative_to(here.root)}")
            if not changed:
                print(f"{ps}: up to date")
    except SourceError as error:
        raise UsageError(str(error)) from error
    return 0
