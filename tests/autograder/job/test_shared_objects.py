"""What both processes hold stays in step, and what only one still refers to is forgotten."""

import gc

import numpy as np
from two_processes import run, student

from autograder.job import shared

FEW = 12  # entries that a conversation keeps: functions, classes, the last arguments


def test_nothing_is_kept_of_values_that_are_no_longer_used() -> None:
    code = """
class A: pass
def f(x): return [x, {'k': [1]}, A()]
def many(n): return [A() for _ in range(n)]
"""
    with student(code) as (checker, names):
        assert run("for i in range(200):\n    f([i, i])", names) is None
        assert run("kept = many(50)\ndel kept\nf(1)\nf(1)", names) is None
        gc.collect()
        assert run("f(1)", names) is None
        assert len(checker.entries) < FEW


def test_what_the_student_keeps_is_still_the_same_object() -> None:
    code = """
kept = []
def keep(x): kept.append(x)
def give(): return kept[0]
def change(): kept[0].append(1)
"""
    test = """
x = [0]
keep(x)
assert give() is x
change()
assert x == [0, 1]
x.append(2)
assert give() == [0, 1, 2]
"""
    with student(code) as (_, names):
        assert run(test, names) is None


def test_a_change_by_a_call_that_fails_comes_back() -> None:
    code = "def f(x):\n    x.append(1)\n    raise ValueError"
    with student(code) as (_, names):
        assert (
            run("x = []\ntry:\n    f(x)\nexcept ValueError:\n    pass\nassert x == [1]", names)
            is None
        )


def test_an_argument_that_cannot_go_over_changes_nothing_else() -> None:
    code = "kept = []\ndef keep(x): kept.append(x)\ndef give(): return kept"
    with student(code) as (_, names):
        assert run("y = [1]\nkeep(y)\ny.append(2)", names) is None
        assert isinstance(run("keep([b'0' * 70_000_000])", names), TypeError)
        assert run("assert give() == [[1, 2]] and give()[0] is y", names) is None


def test_unchanged_arguments_are_not_sent_back() -> None:
    size = 1_000_000
    with student("def f(x): return x[0]") as (checker, names):
        names["x"] = np.zeros(size)
        received: list[int] = []
        real = checker._exactly

        def noting(size: int) -> bytes:
            received.append(size)
            return real(size)

        checker._exactly = noting  # type: ignore[method-assign]
        assert run("f(x)", names) is None
        assert sum(received) < size


def test_many_twins_become_copies() -> None:
    count = shared.MAX_TWINS + 500
    code = f"rows = [[i] for i in range({count})]\ndef first(): return rows[0][0]"
    with student(code) as (checker, names):
        assert run("r = rows\nfirst()\nfirst()\nassert len(r) > 2000", names) is None
        assert len(checker.entries) <= shared.MAX_TWINS + FEW
        assert run("assert rows[5] == [5] and r[-1] == [len(r) - 1]", names) is None


def test_printing_goes_to_the_test() -> None:
    code = """
import sys
def f():
    print('x' * 10)
    sys.stderr.write('e')
    raise KeyError('k')
"""
    test = """
import contextlib, io
out, err = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    try:
        f()
    except KeyError:
        pass
assert out.getvalue() == 'x' * 10 + '\\n' and err.getvalue() == 'e'
"""
    with student(code) as (_, names):
        assert run(test, names) is None


def test_an_endless_print_is_cut() -> None:
    with student("def f():\n    for _ in range(30): print('x' * 100_000)") as (_, names):
        test = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out: f()\n"
        assert run(test + "assert 900_000 < len(out.getvalue()) < 1_100_000", names) is None
