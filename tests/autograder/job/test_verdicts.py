"""What a student's code says of itself proves nothing: no object of its own gives a verdict."""

import pytest
from two_processes import in_one_process, run, student

LIES = """
import enum, collections, sys
import numpy as np

def yes(*args, **kwargs): return True
NAMES = ("allclose", "equal", "equals", "eq", "issubset", "startswith", "all", "isclose")

class Lie(enum.Enum):
    ONE = 1
    allclose = equal = equals = eq = issubset = startswith = isclose = lambda self, *a, **k: True

def function(): pass
for name in NAMES: setattr(function, name, yes)

class Meta(type):
    def __contains__(cls, item): return True
    def __len__(cls): return 3
class Class(metaclass=Meta): pass
for name in NAMES: setattr(Class, name, staticmethod(yes))

Fields = collections.namedtuple("Fields", NAMES)
error = ValueError("x")
for name in NAMES: setattr(error, name, yes)

def member(): return Lie.ONE
def plain(): return function
def kind(): return Class
def fields(): return Fields(*[yes] * len(NAMES))
def raised(): return error
def module():
    import types
    made = types.ModuleType("answer")
    for name in NAMES: setattr(made, name, yes)
    return made
"""
ASKED = ["allclose(1)", "equal(2)", "equals(3)", "issubset({1})", "startswith('a')"]


@pytest.mark.parametrize("call", ["member", "plain", "kind", "fields", "raised", "module"])
def test_nothing_that_carries_a_method_of_values_is_believed(call: str) -> None:
    with student(LIES, {"torch": "import torch", "pd": "import pandas as pd"}) as (_, names):
        assert run("torch.zeros(1), pd.DataFrame()", names) is None  # their methods count, too
        for asked in ASKED:
            error = run(f"assert {call}().{asked}", names)
            assert isinstance(error, (TypeError, AttributeError)), (asked, error)


def test_no_class_says_what_it_contains() -> None:
    with student(LIES) as (_, names):
        error = run("assert 7 in kind()", names)
        assert isinstance(error, TypeError) and "proves nothing" in str(error)


def test_where_the_reference_is_asked_it_may() -> None:
    with student(LIES) as (checker, names):
        checker.granted = None
        assert run("assert 7 in kind() and fields().equal(1) and member().eq(2)", names) is None
        assert checker.judged == {"__contains__", "equal", "eq"}


def test_named_tuples_stay_what_they_are() -> None:
    code = """
import collections
Stats = collections.namedtuple("Stats", "mean max count update")
def stats(): return Stats(1.5, 2, 3, abs)
def step(x): return x + 1
Optimiser = collections.namedtuple("Optimiser", "init update")
def optimiser(): return Optimiser(step, step)
"""
    test = """
s = stats()
assert s.mean == 1.5 and s.max == 2 and s.count == 3 and len(s) == 4 and s[0] == 1.5
assert type(s).__name__ == "Stats" and s._fields[0] == "mean" and isinstance(s, tuple)
o = optimiser()
assert type(o).__name__ == "Optimiser" and o.init(1) == 2 and o[1](2) == 3
init, update = o
assert update(4) == 5
"""
    assert in_one_process(code, test) is None
    with student(code) as (_, names):
        assert run(test, names) is None


def test_a_class_called_tensor_is_no_tensor() -> None:
    code = "class Tensor:\n    shape = (3,)\n    dtype = 'x'\ndef answer(): return Tensor()\n"
    with student(code, {"torch": "import torch", "Tensor": "from torch import Tensor"}) as (
        _,
        names,
    ):
        assert run("Tensor", names) is None
        assert run("assert not isinstance(answer(), torch.Tensor)", names) is None
        error = run("assert torch.allclose(answer(), torch.zeros(3))", names)
        assert isinstance(error, TypeError)


def test_a_linked_list_of_the_tests_can_be_turned_round() -> None:
    code = """
def turned(node):
    last = None
    while node is not None:
        node.next, last, node = last, node, node.next
    return last
"""
    test = """
class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next
head = turned(Node(1, Node(2, Node(3))))
found = []
while head is not None:
    found.append(head.value)
    head = head.next
assert found == [3, 2, 1]
"""
    assert in_one_process(code, test) is None
    with student(code) as (_, names):
        assert run(test, names) is None


def test_a_comparison_with_an_array_goes_over() -> None:
    code = """
import numpy as np
class Vec:
    __array_ufunc__ = None
    def __init__(self, x): self.x = np.asarray(x)
    def __eq__(self, other): return self.x == np.asarray(other)
    __hash__ = None
"""
    test = "import numpy as np\nassert (Vec([1, 2]) == np.array([1.0, 2.0])).all()"
    assert in_one_process(code, test) is None
    with student(code) as (checker, names):
        checker.granted = None
        assert run(test, names) is None
