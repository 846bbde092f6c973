"""A student in a forked process and a checker here, as they stand in a graded notebook."""

import contextlib
import linecache
import os
import socket
import sys
import traceback
import types
from collections.abc import Iterator
from typing import Any

from autograder.job.ends import Checker, Student
from autograder.job.names import Names

IMPORTS = {
    "np": "import numpy as np",
    "torch": "import torch",
    "nn": "import torch.nn as nn",
    "F": "import torch.nn.functional as F",
    "math": "import math",
    "random": "import random",
    "unittest": "import unittest",
    "Counter": "from collections import Counter",
}


@contextlib.contextmanager
def student(source: str, imports: dict[str, str] | None = None) -> Iterator[tuple[Checker, Names]]:
    """Run a student's cell in a process of its own and give the checker that talks to it."""
    near, far = socket.socketpair()
    near.settimeout(60)
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            near.close()
            _serve(far, source)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    far.close()
    checker = Checker(near)
    try:
        yield checker, checker.names(IMPORTS if imports is None else imports)
    finally:
        near.close()
        os.waitpid(pid, 0)


def remember(name: str, source: str) -> None:
    """Let inspect.getsource find the text of a cell, as IPython does."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


def _serve(sock: socket.socket, source: str) -> None:
    remember("<student>", source)
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(compile(source, "<student>", "exec"), main.__dict__)
    answers = Student(sock, main.__dict__)
    while answers.serve_one():
        pass


def run(source: str, names: dict[str, Any]) -> BaseException | None:
    """Run a test cell; returns what it raised."""
    try:
        exec(compile(source, "<test>", "exec"), names)
    except BaseException as error:
        return error
    return None


def in_one_process(code: str, test: str) -> BaseException | None:
    """Run both in one namespace, as a kernel would."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for statement in IMPORTS.values():
        exec(statement, names)
    remember("<student>", code)
    exec(compile(code, "<student>", "exec"), names)
    return run(test, names)


def in_two_processes(code: str, test: str) -> BaseException | None:
    """Run the code in one process and the test in another, as an answer like the reference's."""
    with student(code) as (checker, names):
        checker.granted = None
        error = run(test, names)
        granted = set(checker.judged)
    if error is not None:
        return error
    with student(code) as (checker, names):
        checker.granted = granted
        return run(test, names)
