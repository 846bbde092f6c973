"""Look for bytes that break what reads a student's bytes: coverage-guided, for as long as you like.

    python -m tools.fuzz                     every target, ten seconds each
    python -m tools.fuzz message --seconds 3600

codec      one value                          must be a value or a CodecError
message    what a student's process may send  must be an answer or the end of the conversation
notebook   what a student may hand in         must be a valid notebook or a refusal in words
outputs    what a cell may leave behind       must be valid nbformat output

What breaks one is kept in _build/fuzz/; `python -m tools.fuzz codec --replay FILE` shows it again.
"""

import argparse
import contextlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / "_build" / "fuzz"
PROBLEM_SET = "ps1_hmm"
Target = Callable[[bytes], None]


def codec() -> tuple[Target, list[bytes]]:
    """Target and seeds: one value."""
    import numpy as np
    import torch

    from autograder.job import crossing
    from autograder.job.codec import CodecError, decode, encode

    assert crossing  # importing it enters the kinds of values

    def target(data: bytes) -> None:
        with contextlib.suppress(CodecError):
            repr(decode(data))

    values: list[Any] = [
        None, [1, 2.5, "a"], {"k": (True, b"x")}, {1, 2}, list(range(20)), [0.5] * 20, 10**40,
        np.arange(6.0).reshape(2, 3), np.float32(1), np.dtype("<i4"), np.array(["a", "bc"]),
        torch.ones(2, 3), torch.float64, torch.Size([1]), np.random.default_rng(0), range(3),
    ]  # fmt: skip
    return target, [encode(value) for value in values]


def message() -> tuple[Target, list[bytes]]:
    """Target and seeds: an answer or a request from the student's process."""
    import numpy as np
    import torch

    from autograder.job.ends import Checker, Student
    from autograder.job.messages import ANSWER, ERROR, REQUEST, DeadKernelError, PeerError

    def target(data: bytes) -> None:
        near, far = socket.socketpair()
        with near, far:
            far.setblocking(False)  # what does not fit is cut off, and so is an answer to it
            near.settimeout(5)
            with contextlib.suppress(OSError):
                far.send(struct.pack("!I", len(data)) + data)
            far.shutdown(socket.SHUT_WR)
            checker = Checker(near)
            checker.names({})
            checker.sequence = 1
            with contextlib.suppress(PeerError, DeadKernelError):
                kind, _ = checker.answer(1)
                if kind not in (ANSWER, ERROR):
                    raise AssertionError(f"a message of kind {kind} was taken for an answer")

    class Counter(dict[str, int]):
        def most(self) -> int:
            return 1

    def told(kind: int, write: Callable[[Any], None]) -> bytes:
        near, far = socket.socketpair()
        with near, far:
            student = Student(far, {"Counter": Counter})
            student.randomness.digests = {  # states as they were: short seeds
                name: state.digest() for name, state in student.randomness.states.items()
            }
            student.send(kind, 1, write)
            return near.recv(1 << 20)[4:]

    def answer(value: Any) -> Callable[[Any], None]:
        def write(out: Any) -> None:
            out.text("")
            out.text("")
            out.tag(b"", 0)
            out.put(value)

        return write

    def request(out: Any) -> None:
        out.text("input")
        out.put(None)
        out.items(["?"], 1)
        out.tag(b"", 0)

    weights = torch.ones(2, requires_grad=True)
    values: list[Any] = [
        1, [1, [2]], np.zeros(3), Counter(a=1), Counter, len, torch.nn.Linear(1, 1), weights,
        iter([1]), answer,
    ]  # fmt: skip
    seeds = [told(ANSWER, answer(value)) for value in values]
    return target, [*seeds, told(REQUEST, request)]


def notebook() -> tuple[Target, list[bytes]]:
    """Target and seeds: a notebook that was handed in."""
    import nbformat

    from autograder import release, submission
    from autograder.course import load

    course = load(ROOT)
    source = ROOT / "solutions" / PROBLEM_SET / f"{PROBLEM_SET}.ipynb"
    released = release.convert(course, source)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    path = folder / "handed-in.ipynb"

    def target(data: bytes) -> None:
        path.write_bytes(data)
        try:
            nb, notes = submission.put_right(submission.read(path), released)
        except submission.Unreadable as error:
            assert str(error).isprintable()
            return
        nbformat.validate(nb)
        nbformat.writes(nb).encode()
        assert all(note.isprintable() for note in notes)

    small = nbformat.from_dict(json.loads(nbformat.writes(released.notebook)))
    small.cells = small.cells[:4]
    graded = [cell for cell in released.notebook.cells if submission.grade_id(cell)][:2]
    small.cells += graded
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    return target, [nbformat.writes(small).encode(), json.dumps(old).encode(), b"{}"]


def outputs() -> tuple[Target, list[bytes]]:
    """Target and seeds: the outputs of one cell, as the student's process sends them."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from autograder import outputs as stage

    def target(data: bytes) -> None:
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError):
            return
        cleaned = stage.clean(raw)
        cell = new_code_cell("1", outputs=cleaned)
        nbformat.validate(new_notebook(cells=[cell]))
        json.dumps(cleaned).encode()

    stream = {"output_type": "stream", "name": "stdout", "text": "a\u001b[31mb"}
    shown = {"output_type": "display_data", "data": {"text/html": "<b onload=x>"}, "metadata": {}}
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]}
    return target, [json.dumps(value).encode() for value in ([stream], [shown], [error])]


TARGETS = {"codec": codec, "message": message, "notebook": notebook, "outputs": outputs}


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["autograder"]):
        target, seeds = TARGETS[name]()
    FOUND.mkdir(parents=True, exist_ok=True)
    corpus = Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
        target(seed)
    options = [
        f"-max_total_time={seconds}", "-max_len=20000", "-timeout=20", "-rss_limit_mb=3000",
        f"-artifact_prefix={FOUND}/{name}-", "-print_final_stats=1", "-seed=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], str(corpus), *options], _quiet(target))
    atheris.Fuzz()


def _quiet(target: Target) -> Target:
    """Keep what a target prints from the terminal, but for what it raises."""

    def run(data: bytes) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            target(data)

    return run


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.fuzz",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="\n\n".join((__doc__ or "").split("\n\n")[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", nargs="?", choices=TARGETS, help="default: all, one by one")
    parser.add_argument("--seconds", type=int, default=10, help="for each target (default: 10)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read one file, no fuzzing")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.replay is not None:
        if args.target is None:
            parser.error("--replay needs a target: " + ", ".join(TARGETS))
        TARGETS[args.target]()[0](args.replay.read_bytes())
        print(f"{args.replay}: read without harm")
        return 0
    if args.here:
        fuzz(args.target, args.seconds)
        return 0
    broken = []
    for name in [args.target] if args.target else TARGETS:
        command = [sys.executable, "-m", "tools.fuzz", name, "--here"]
        command += ["--seconds", str(args.seconds)]
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
            environment = os.environ | {"TMPDIR": scratch, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace"
            )
        print(f"{name}: {_summary(done.stderr)}", flush=True)
        if done.returncode != 0:
            broken.append(name)
            print(done.stdout[-3000:] + done.stderr[-3000:], file=sys.stderr)
    if broken:
        print(f"broken: {', '.join(broken)}; the bytes are in {FOUND}", file=sys.stderr)
    return 1 if broken else 0


def _summary(said: str) -> str:
    """Say how many inputs were tried and how far they reached, from libFuzzer's last words."""
    tried = [line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line]
    reach = [line for line in said.splitlines() if " cov: " in line]
    covered = reach[-1].split(" cov: ")[1].split()[0] if reach else "no"
    return f"{tried[-1] if tried else 'no'} inputs, {covered} edges of the code reached"


if __name__ == "__main__":
    sys.exit(main())
