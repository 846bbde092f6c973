"""Look at the corpora, or fetch one: python -m coursekit.corpora.

python -m coursekit.corpora list
python -m coursekit.corpora show docstrings
python -m coursekit.corpora show cnews /data/cnews
python -m coursekit.corpora show csv reviews.csv --text review --label stars
python -m coursekit.corpora fetch imdb
python -m coursekit.corpora fetch imdb --mirror https://mirror.example/data
python -m coursekit.corpora fetch imdb --mirror /media/stick
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from coursekit import corpora
from coursekit.corpora.published import FILES

ABOUT: dict[str, tuple[str, Callable[..., Any]]] = {
    "code": (
        "what comes before a letter of the standard library; built in",
        corpora.code_string_comment,
    ),
    "docstrings": ("SciPy's docstring paragraphs by subpackage; built in", corpora.docstrings),
    "imdb": ("50,000 film reviews: aclImdb_v1.tar.gz (84 MB) or its folder", corpora.imdb),
    "imdb-keras": ("the same as Keras' imdb.npz (17 MB) and its word index", corpora.imdb_keras),
    "thucnews": ("Chinese headlines, text<tab>label: the folder of train.txt", corpora.thucnews),
    "cnews": ("Chinese news, label<tab>text: the folder of cnews.train.txt", corpora.cnews),
    "csv": ("any table with a column of texts and one of labels", corpora.from_csv),
}
BUILT_IN = ("code", "docstrings")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    about, _, examples = (__doc__ or "").partition("\n\n")
    top = argparse.ArgumentParser(
        prog="python -m coursekit.corpora",
        description=about,
        epilog="examples:\n" + textwrap.indent(examples, "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="say which corpora there are and which are in the cache")
    show = commands.add_parser("show", help="print version, hash, sizes and a few texts")
    show.add_argument("corpus", choices=ABOUT)
    show.add_argument("source", nargs="?", help="a file or folder; default: the cache")
    show.add_argument("-n", type=int, default=3, help="how many texts (default 3)")
    show.add_argument("--text", default="text", help="csv: the column of texts")
    show.add_argument("--label", default="label", help="csv: the column of labels")
    show.add_argument("--encoding", help="default: found out")
    show.add_argument("--skip-bad", action="store_true", help="leave unusable rows out, count them")
    get = commands.add_parser("fetch", help="download a corpus into the cache and check it")
    get.add_argument("corpus", choices=FILES)
    get.add_argument("--mirror", help="a base address, or a folder, that has the same files")
    get.add_argument("--folder", help=f"where to put it (default {corpora.cache()}/CORPUS)")
    get.add_argument("--proxy", help="such as http://proxy:3128 (default: the environment's)")
    get.add_argument("--quiet", action="store_true", help="no progress bar")
    return top


def show(args: argparse.Namespace) -> None:
    """Print one corpus and its first n training texts."""
    load = ABOUT[args.corpus][1]
    options: dict[str, Any] = {}
    if args.corpus in ("csv", "cnews", "thucnews"):
        options["encoding"] = args.encoding
        options["bad"] = "skip" if args.skip_bad else "refuse"
    if args.corpus == "csv":
        options |= {"text": args.text, "label": args.label}
    source = args.source
    if source is None and args.corpus in ("cnews", "csv"):
        raise corpora.CorpusError(f"{args.corpus} needs the path of a file or folder")
    if source is not None and args.corpus in BUILT_IN:
        raise corpora.CorpusError(f"{args.corpus} is built in: it takes no file")
    data = load(**options) if source is None else load(source, **options)
    print(data)
    for text, label in zip(data.train.texts[: args.n], data.train.labels, strict=False):
        print(f"\n[{data.label_names[label]}] {text[:400]!r}")


def main(argv: list[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1 with one line of error, 2 for a wrong call."""
    args = parser().parse_args(argv)
    try:
        if args.command == "list":
            for name, (about, _) in ABOUT.items():
                here = name in FILES and all(
                    (corpora.cache() / name / f.name).is_file() for f in FILES.get(name, ())
                )
                where = "in the cache" if here else "to fetch" if name in FILES else "from a file"
                print(f"{name:<11} {'here' if name in BUILT_IN else where:<13} {about}")
        elif args.command == "show":
            show(args)
        else:
            for path in corpora.fetch(
                args.corpus,
                mirror=args.mirror,
                folder=args.folder,
                proxy=args.proxy,
                progress=not args.quiet,
            ):
                print(path)
    except corpora.CorpusError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing half-written was kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
