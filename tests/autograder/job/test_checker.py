"""The checker's program: what a test's error may tell, seeds, helpers, and a peer that is gone."""

import os
import signal
import socket
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from autograder import frames
from autograder.job import checker
from autograder.job.ends import Student
from autograder.job.shell import warm

IMPORTS = {
    "np": "import numpy as np",
    "torch": "import torch",
    "gone": "import no_such_module as gone",
}
CODE = """
import numpy as np
import random
def add(a, b): return a + b
def bad(x): raise ValueError(f'saw {x}')
class Own(KeyError): pass
def own(): raise Own('x')
def draw(): return random.random(), np.random.rand()
def check_close(a, b): return True
gone = 5
LIMIT = 3
load_tests = lambda *a: None
"""


class Program:
    """A checker in a process of its own, with a student in another."""

    def __init__(self, code: str) -> None:
        self.control, control = socket.socketpair()
        near, far = socket.socketpair()
        self.control.settimeout(60)
        sys.stdout.flush()
        self.pids = [self._fork(lambda: checker.main(control, near), far)]
        self.pids.append(self._fork(lambda: self._answer(far, code), control, self.control, near))
        for end in (control, near, far):
            end.close()
        self.ask(do="start", seed=0, imports=IMPORTS)

    def _fork(self, program: Any, *close: socket.socket) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                for end in close:
                    end.close()
                program()
            finally:
                os._exit(0)
        return pid

    def _answer(self, far: socket.socket, code: str) -> None:
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(code, "<student>", "exec"), main.__dict__)
        answers = Student(far, main.__dict__)
        while answers.serve_one():
            pass

    def ask(self, **message: Any) -> dict[str, Any]:
        frames.send(self.control, message)
        reply = frames.receive(self.control)
        assert reply is not None
        return reply

    def test(self, source: str, **more: Any) -> dict[str, Any]:
        lines = source.split("\n")
        marks = [i + 1 for i, line in enumerate(lines) if "HIDDEN TESTS" in line]
        hidden = [list(pair) for pair in zip(marks[::2], marks[1::2], strict=True)]
        return self.ask(do="run", source=source, kind="test", hidden=hidden, seed=1, **more)

    def end(self) -> None:
        self.control.close()
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@pytest.fixture
def program() -> Iterator[Program]:
    torch.set_num_threads(1)
    warm()  # once, before the forks
    made = Program(CODE)
    yield made
    made.end()


def test_a_test_passes_and_one_fails(program: Program) -> None:
    assert program.test("assert add(1, 2) == 3\nprint('fine')") == {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "fine\n"}],
        "error": None,
        "public": "",
    }
    error = program.test("assert add(1, 2) == 4")["error"]
    assert error["ename"] == "AssertionError"


HIDE = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    ("source", "public"),
    [
        ("assert add(1, 2) == 4, 'one and two'", "one and two"),
        ("assert add(1, 2) == 4, (\n    'one '\n    'and two'\n)", "one and two"),
        ("assert add(1, 2) == 4, f'got {add(1, 2)}'", "AssertionError: got 3"),
        ("bad(1)", "ValueError: saw 1"),
        ("own()", "KeyError: 'x'"),
        ("undefined", "NameError: name 'undefined' is not defined"),
        (HIDE.format("assert add(1, 2) == 4, 'literal'"), "literal"),
        (HIDE.format("assert add(1, 2) == 4, f'got {add(1, 2)}'"), "AssertionError"),
        (HIDE.format("assert add(1, 2) == 4, 'a' + 'b'"), "AssertionError"),
        (HIDE.format("bad('secret')"), "ValueError"),
        (HIDE.format("own()"), "KeyError"),
        (HIDE.format("raise AssertionError('made by hand')"), "AssertionError"),
        (HIDE.format("assert bad('secret'), 'literal'"), "ValueError"),
        ("bad(1)\n" + HIDE.format("pass"), "ValueError: saw 1"),
        (HIDE.format("pass") + "\nbad(1)", "ValueError"),
        ("def f():\n    bad(1)\n" + HIDE.format("f()"), "ValueError"),
        ("def f():\n    assert 0, 'literal'\n" + HIDE.format("f()"), "literal"),
        ("for i in (1, 2):\n    if i == 2: bad(i)\n    ### HIDDEN TESTS\n    add(i, i)\n"
         "    ### HIDDEN TESTS", "ValueError"),
        ("\n\n\nassert 0, 'literal'", "literal"),
        ("\n\n\nbad(1)\n" + HIDE.format("pass"), "ValueError: saw 1"),
        ("%matplotlib inline\nassert 0, 'literal'", "literal"),
        ("1 +", "SyntaxError"),
    ],
)  # fmt: skip
def test_what_a_student_may_be_shown(program: Program, source: str, public: str) -> None:
    reply = program.test(source)
    assert reply["error"] is not None
    assert reply["public"] == public


def test_after_hidden_tests_types_alone_are_shown(program: Program) -> None:
    assert program.test(HIDE.format("add(1, 1)"))["error"] is None
    assert program.test("bad(1)")["public"] == "ValueError"
    assert program.test("assert 0, 'literal'")["public"] == "literal"
    assert program.test("assert 0, str(add(1, 1))")["public"] == "AssertionError"


def test_a_helper_wins_over_the_student(program: Program) -> None:
    helper = "def check_close(a, b):\n    assert abs(a - b) < 1e-9, 'not close'"
    assert (
        program.ask(do="run", source=helper, kind="helper", hidden=[], seed=None)["error"] is None
    )
    assert program.test("check_close(add(1, 2), 4)")["public"] == "not close"
    assert program.test("check_close(1, 1)")["error"] is None


def test_a_function_that_a_cell_of_the_source_defines_anew(program: Program) -> None:
    assert program.test("def add(a, b): return 7\nassert add(1, 2) == 7")["error"] is None
    assert program.test("assert add(1, 2) == 7")["error"] is None
    assert program.test("assert add(1, 2) == 3", rebound=["add"])["error"] is None


VERDICTS = """
class Lie:
    def __init__(self): self.data = 3
    def __sub__(self, other): return 0.0
    __rsub__ = __truediv__ = __mul__ = __and__ = __sub__
    def __contains__(self, item): return True
    def __eq__(self, other): return True
    def __len__(self): return 1
    def __lt__(self, other): return True
    def equals(self, other): return True
    count = startswith = issubset = equals
def f(): return Lie()
"""


@pytest.fixture
def liar() -> Iterator[Program]:
    made = Program(CODE + VERDICTS)
    yield made
    made.end()


@pytest.mark.parametrize(
    "test",
    ["abs(f() - 3) < 1e-9", "abs(3 - f()) < 1e-9", "np.abs(f() - np.ones(3)).max() < 1e-9",
     "(np.ones(3) - f()) == 0", "torch.ones(2) - f() == 0", "3 in f()", "f() == 3", "3 == f()",
     "f() != 4", "f() < 4", "4 > f()", "bool(f())", "f().count(3)", "f().startswith('a')",
     "f().issubset({1})", "f() / 3 == 0", "f() & {3} == 0", "np.isclose(f() - 3, 0)",
     "f() in [3]", "[3].index(f()) == 0", "f() * 2 == 0", "sum([f()]) == 0"],
)  # fmt: skip
def test_an_object_gives_no_verdict_that_the_reference_is_not_asked_for(
    liar: Program, test: str
) -> None:
    assert liar.test(f"assert {test}")["error"]["ename"] in ("TypeError", "AssertionError")
    asked = liar.test("f() == 3, f() - 3, f().count(3), bool(f()), 3 in f()", granted=None)
    assert asked["judged"] == ["__bool__", "__contains__", "__eq__", "__sub__", "count"]
    granted = ["__bool__", "__eq__"]
    assert liar.test("assert f() and f() == 9", granted=granted)["error"] is None
    assert liar.test("assert f() - 9 == 0", granted=granted)["error"]["ename"] == "TypeError"
    assert liar.test("assert f().data == 3 and len(f()) == 1")["error"] is None


def test_imports_come_from_the_source(program: Program) -> None:
    assert (
        program.test("assert np.__name__ == 'numpy' and torch.zeros(1).item() == 0")["error"]
        is None
    )
    assert program.test("assert gone == 5")["error"] is None  # a module of the student's own


def test_the_seed_reaches_both(program: Program) -> None:
    source = (
        "import random\nprint(draw() + (random.random(), np.random.rand(), torch.rand(1).item()))"
    )
    first = program.test(source)["outputs"]
    assert program.test(source)["outputs"] == first
    assert program.test("print(0)\n" + source)["outputs"] != first


UNITTEST = """
import unittest
class T(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(add(1, 2), {})
    def test_error(self):
        with self.assertRaises(ValueError):
            bad(1)
done = unittest.main(argv=[''], exit=False)
assert done.result.testsRun >= 2 and done.result.wasSuccessful(), 'see above'
"""


def test_unittest_classes(program: Program) -> None:
    assert program.test(UNITTEST.format(3))["error"] is None
    assert program.test(UNITTEST.format(4))["public"] == "see above"


def test_magics_and_figures_do_no_harm(program: Program) -> None:
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nadd(1, 2)"
    reply = program.test("%matplotlib inline\n" + source)
    assert reply["error"] is None
    assert reply["outputs"][-1]["data"]["text/plain"] == "3"


@pytest.mark.parametrize("swallow", ["", "try:\n    add(1, 2)\nexcept BaseException:\n    pass\n"])
def test_a_dead_student_is_an_error_even_if_swallowed(program: Program, swallow: str) -> None:
    os.kill(program.pids[1], signal.SIGKILL)
    time.sleep(0.05)
    reply = program.test(swallow + ("add(1, 2)" if not swallow else "1"))
    assert reply["error"]["ename"] == "DeadKernelError" == reply["public"]


def test_an_interrupted_test(program: Program) -> None:
    message = {"do": "run", "source": "while True:\n    add(1, 1)", "kind": "test", "hidden": []}
    frames.send(program.control, message | {"seed": 1})
    time.sleep(0.3)
    os.kill(program.pids[0], signal.SIGINT)
    reply = frames.receive(program.control)
    assert reply is not None and reply["error"]["ename"] in ("KeyboardInterrupt", "PeerError")


def test_other_requests(program: Program) -> None:
    assert "numpy" in program.ask(do="modules")["modules"]
    assert "fault" in program.ask(do="dance")
