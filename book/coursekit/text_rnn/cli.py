"""The command line: text-rnn train, evaluate, predict."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from coursekit.corpora import CorpusError
from coursekit.corpora.text import decode, read_bytes
from coursekit.text_rnn import settings, source, use, work
from coursekit.text_rnn.reading import UNITS
from coursekit.text_rnn.settings import UsageError, nearest
from coursekit.text_rnn.show import say
from coursekit.text_rnn.trainer import Stopped, TrainingError

BATCH = 512  # lines that predict reads before it answers
TRAIN_EXAMPLES = """
examples:
  text-rnn train --data headlines.txt              # label<tab>text or text<tab>label, found out
  text-rnn train --data cnews/ --run runs/cnews    # cnews.train.txt, cnews.val.txt, cnews.test.txt
  text-rnn train --data aclImdb/ --seq-length 200 --seeds 3
  text-rnn train --data reviews.csv --text review --label stars --unit character
  text-rnn train --data code --hidden-dim 64 --num-epochs 3    # built in: no file needed
  text-rnn train --data headlines.txt --config trnn.toml --rnn lstm
  text-rnn train --run runs/cnews                  # go on where it was stopped or killed

A configuration file holds any of the fields below by name, such as

  hidden_dim = 64
  rnn = "lstm"
  bidirectional = false

and a flag goes before it. What the data have no validation or test texts for is cut
from the training texts, a tenth each, copies on one side. Test texts are looked at
once, at the end. Exit status: 0 done; 1 it went wrong on the way; 2 a call or data
that cannot be used; 130 stopped with Ctrl-C, the same command goes on.
"""
EVALUATE_EXAMPLES = """
examples:
  text-rnn evaluate --run runs/cnews                        # on its own test texts
  text-rnn evaluate --run runs/cnews --data new.txt --html new.html
"""
PREDICT_EXAMPLES = """
examples:
  text-rnn predict --run runs/cnews headlines-without-labels.txt > labels.tsv
  echo 球队赢了 | text-rnn predict --run runs/cnews
  text-rnn predict --run runs/cnews --text 球队赢了 --top 3
  text-rnn predict --run runs/cnews --json - < lines.txt

A line for each line: label, probability, text, with tabs between; --top K gives K pairs.
"""


class Parser(argparse.ArgumentParser):
    """A parser without guesses at half a name, that knows its examples' line ends."""

    def __init__(self, **options: Any) -> None:
        options |= {"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter}
        super().__init__(**options)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = Parser(
        prog="text-rnn",
        description="Train a Text-RNN on labelled texts, judge it beside a linear model, use it.",
        epilog="text-rnn COMMAND --help says more, with examples.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    train = commands.add_parser(
        "train",
        help="train on a file, a folder or a built-in corpus; write a report",
        epilog=TRAIN_EXAMPLES,
    )
    _data(train, False)
    group = train.add_argument_group("the run")
    group.add_argument("--config", type=Path, metavar="FILE.toml", help="fields of the model")
    group.add_argument(
        "--run", type=Path, help="its folder (runs/NAME-HASH); one that was left goes on"
    )
    group.add_argument("--seeds", type=_positive, metavar="N", help="train N times (1)")
    group.add_argument(
        "--baseline",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="naive Bayes and TF-IDF + linear beside it (yes)",
    )
    group.add_argument("--unit", choices=UNITS, default="auto", help="of a text; auto: by script")
    group.add_argument(
        "--raw", action="store_true", help="keep case, width and white space as they are"
    )
    group.add_argument(
        "--drop-leaks",
        action="store_true",
        help="drop training and validation texts that a later split also holds",
    )
    group.add_argument(
        "--train-texts", type=_positive, metavar="N", help="train on N texts drawn at random"
    )
    _machine(group)
    fields = train.add_argument_group("fields of the configuration (in brackets: the default)")
    settings.add_flags(fields)

    evaluate = commands.add_parser(
        "evaluate", help="score a finished run on labelled texts", epilog=EVALUATE_EXAMPLES
    )
    _finished(evaluate)
    _data(evaluate, True)
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    evaluate.add_argument("--html", type=Path, metavar="FILE", help="write a page")

    predict = commands.add_parser(
        "predict", help="label texts, one a line", epilog=PREDICT_EXAMPLES
    )
    _finished(predict)
    predict.add_argument("files", nargs="*", metavar="FILE", help="- or none: standard input")
    predict.add_argument("--text", action="append", help="a text itself; may be repeated")
    predict.add_argument("--json", action="store_true", help="JSON lines")
    predict.add_argument("--top", type=_positive, default=1, metavar="K", help="labels a text (1)")
    predict.add_argument("--encoding", help="of the files; default: found out")
    return top


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1; got {text!r}")
    return value


def _data(command: argparse.ArgumentParser, other: bool) -> None:
    group = command.add_argument_group("the data")
    about = "default: the run's own test texts" if other else "; ".join(
        ["a file, a folder", "or built in: " + ", ".join(source.BUILT_IN)]
        + ["or from the cache: " + ", ".join(source.CACHED)]
    )  # fmt: skip
    group.add_argument("--data", metavar="PATH", help=about)
    group.add_argument(
        "--format",
        default="auto",
        metavar="FORMAT",
        help=f"{', '.join(source.FORMATS)} (auto: looked at and said)",
    )
    group.add_argument("--text", metavar="COLUMN", help="csv: name, or number from 0")
    group.add_argument("--label", metavar="COLUMN", help="csv: name, or number from 0")
    group.add_argument("--encoding", help="such as gb18030; default: found out")
    group.add_argument("--skip-bad", action="store_true", help="leave unusable rows out")
    group.add_argument(
        "--word-index", metavar="FILE", help="imdb-npz: default imdb_word_index.json beside it"
    )


def _machine(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    group.add_argument("--device", help="auto, cpu, cuda, cuda:1 (auto)")
    group.add_argument("--threads", type=_positive, metavar="N", help="of the CPU (all)")


def _finished(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run", type=Path, help="the run's folder; default: the last in runs/")
    command.add_argument("--seed", type=int, metavar="N", help="which; default: the best one")
    _machine(command)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments; end the program at a flag nobody knows, naming the nearest."""
    top = parser()
    args, strange = top.parse_known_args(argv)
    if strange:
        flags = ["--data", "--config", "--run", "--seeds", "--format", "--unit", "--device"]
        flags += [settings.flag(name) for name in settings.fields()] + ["--baseline", "--threads"]
        name = strange[0].partition("=")[0]
        top.error(f"unknown argument {name}{nearest(name.replace('_', '-'), flags)}")
    return args


def given(args: argparse.Namespace) -> source.Given | None:
    """Return what the command line says about the data, None if nothing."""
    if args.data is None:
        return None
    path = Path(args.data).expanduser()
    data = str(path.resolve()) if path.exists() else args.data
    index = str(Path(args.word_index).resolve()) if args.word_index else None
    return source.Given(
        data, args.format, args.text, args.label, args.encoding, args.skip_bad, index
    )


def _threads(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)


def run_train(args: argparse.Namespace) -> None:
    """Train, as the arguments say."""
    fields = settings.read_toml(args.config) if args.config else {}
    fields |= {name: getattr(args, name) for name in settings.fields() if hasattr(args, name)}
    job = work.Job(
        given(args),
        fields,
        args.run,
        args.seeds,
        args.device,
        args.baseline,
        args.threads,
        args.unit,
        args.raw,
        args.drop_leaks,
        args.train_texts,
    )
    work.train(job)


def run_predict(args: argparse.Namespace) -> None:
    """Label the texts of files, of --text, or of standard input."""
    _threads(args)
    one = use.finished(args.run, args.seed, args.device)
    for line in use.predict(one, texts(args, one.facts["labels"]), args.json, args.top):
        print(line, flush=sys.stdin.isatty())


def texts(args: argparse.Namespace, labels: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts in batches; a line at a time where somebody types them."""
    if args.text:
        yield args.text
    for name in args.files or ([] if args.text else ["-"]):
        if name == "-" and sys.stdin.isatty():
            for line in sys.stdin:
                yield [line.rstrip("\r\n")]
            continue
        if name == "-":
            found = decode(sys.stdin.buffer.read(), Path("standard input"), args.encoding)
        else:
            found = decode(read_bytes(Path(name)), Path(name), args.encoding)
        tabbed = [line.split("\t") for line in found.lines[:100]]
        if tabbed and all(row[0] in labels or row[-1] in labels for row in tabbed if row != [""]):
            say(f"{name}: each line holds a label; text-rnn evaluate --data would score them")
        for start in range(0, len(found.lines), BATCH):
            yield found.lines[start : start + BATCH]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    # products on a GPU repeat to the last bit only with this, set before the first of them
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without Chinese must not end a run
            stream.reconfigure(errors="backslashreplace")
    args = parse(argv)
    try:
        if args.command == "train":
            run_train(args)
        elif args.command == "evaluate":
            _threads(args)
            use.evaluate(args.run, given(args), args.seed, args.device, args.json, args.html)
        else:
            run_predict(args)
        sys.stdout.flush()
    except Stopped as stop:
        number, folder, updates = stop.args
        again = f"text-rnn train --run {shlex.quote(str(folder))}"
        say(f"stopped after {updates:,} batches; go on with: {again}")
        return 128 + int(number)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from the last checkpoint")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # as in `text-rnn predict | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UsageError, CorpusError) as error:
        say(f"text-rnn: {error}")
        return 2
    except (TrainingError, OSError) as error:
        say(f"text-rnn: {error}")
        return 1
    except (MemoryError, RuntimeError) as error:
        if "memory" not in str(error) and not isinstance(error, MemoryError):
            raise
        short = (str(error).splitlines() or ["no memory left"])[0][:160]
        say(f"text-rnn: out of memory ({short}); lower --batch-size, --seq-length or --hidden-dim")
        return 1
    return 0
