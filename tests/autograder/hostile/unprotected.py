"""Run what nothing protects: `unprotected.py FILE`, where FILE holds a JSON list of jobs.

A job is {"cells": [...]}, run as stock nbgrader runs a notebook, all cells, tests included, in one
process; or {"program": ...}, a reader or grader that trusts what it is given, with the folders in
"arguments". Each runs in a fork of this process, which has imported what takes long. FILE.N.json
holds the outputs of the cells that came to their end; FILE.N.out what a program printed; FILE.codes
how each process ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import nbformat  # noqa: F401
import numpy  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbgrader.utils import parse_utc  # noqa: F401

SECONDS_FOR_CELLS, SECONDS_FOR_PROGRAM = 8.0, 1.5


class Shell(InteractiveShell):
    """The shell of a kernel: errors become outputs by the one method that attacks replace."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        error = {"ename": str(etype.__name__), "evalue": str(evalue), "traceback": stb}
        self.errors.append({"output_type": "error", **error})

    def system(self, cmd: str) -> None:
        print(subprocess.run(cmd, shell=True, stdout=subprocess.PIPE).stdout.decode())


def run_cells(cells: list[str], report: Path) -> None:
    """Run cells one after the other; the report is whole after each."""
    shell = Shell.instance()
    done: list[list[dict[str, Any]]] = []
    for source in cells:
        shell.errors = []
        with capture_output() as got:
            shell.run_cell(source, store_history=True)
        outputs = [
            {"output_type": "stream", "name": name, "text": text}
            for name, text in (("stdout", got.stdout), ("stderr", got.stderr))
            if text
        ]
        outputs += [
            {"output_type": "display_data", "data": rich.data or {}, "metadata": {}}
            for rich in got.outputs
        ]
        done.append(outputs + shell.errors)
        report.write_text(json.dumps(done))


def run_program(text: str, arguments: list[str], out: Path) -> None:
    """Run a program with its output in a file."""
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(1, 2)
    sys.argv = ["program", *arguments]
    exec(compile(text, "program", "exec"), {"__name__": "__main__"})


def run(job: dict[str, Any], report: Path) -> None:
    """Run one job, in a process of its own."""
    os.setsid()
    os.chdir(job["folder"])
    sys.path.insert(0, "")
    if "program" in job:
        run_program(job["program"], job["arguments"], report.with_suffix(".out"))
    else:
        run_cells(job["cells"], report)


def end_with(what: Callable[..., None], *arguments: object) -> NoReturn:
    """End this process as Python does after a program, but without taking everything down."""
    code = 0
    try:
        what(*arguments)
    except SystemExit as stop:
        code = int(bool(stop.code))
        print(stop.code)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(file: str) -> None:
    """Run every job of the file, one after the other."""
    codes = []
    if "torch" in Path(file).read_text():
        importlib.import_module("torch")
    gc.freeze()  # or each fork would copy what it looks through
    for number, job in enumerate(json.loads(Path(file).read_text())):
        report = Path(f"{file}.{number}.json")
        report.write_text("[]")
        pid = os.fork()
        if pid == 0:
            end_with(run, job, report)
        limit = SECONDS_FOR_PROGRAM if "program" in job else SECONDS_FOR_CELLS
        end = time.monotonic() + limit
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                ended = os.waitpid(pid, 0)
                break
            time.sleep(0.005)
        codes.append(os.waitstatus_to_exitcode(ended[1]))
    Path(f"{file}.codes").write_text(json.dumps(codes))


if __name__ == "__main__":
    main(sys.argv[1])
