"""A result that lies in an argument's memory is seen as such by a test, as in one process."""

import socket

import numpy as np
import pytest
import torch
from two_processes import in_one_process, run, student

from autograder.job.codec import CodecError
from autograder.job.ends import Checker
from autograder.job.messages import ANSWER, PeerError

CODE = """
import numpy as np
def tail(x): return x[1:]
def turned(x): return x.T
def flat(x): return x.reshape(-1)
def back(x): return x[::-1]
def copied(x): return x.copy() if isinstance(x, np.ndarray) else x.clone()
def part(x): return x[0] if x.ndim > 1 else x[2:4]
def fixed(x):
    y = x.view()
    y.flags.writeable = False
    return y
class Keeper:
    def __init__(self, x): self.x = x
    def row(self, i): return self.x[i]
    def total(self): return float(self.x.sum())
"""
WRITES = """
x = {make}
before = x + 0
y = {call}(x)
y[...] = 99
changed = bool((x != before).any())
assert changed == {expected}, (x, before)
"""
ARRAYS = {
    "line": "np.arange(6.0)",
    "table": "np.arange(6).reshape(2, 3)",
    "turned table": "np.arange(6).reshape(2, 3).T",
    "every other": "np.arange(12.0)[::2]",
    "tensor": "torch.arange(6.0)",
    "table of tensor": "torch.arange(6).reshape(2, 3)",
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("call", ["tail", "turned", "flat", "copied", "part"])
def test_writing_into_a_result(name: str, call: str) -> None:
    make = ARRAYS[name]
    in_order = name not in ("turned table", "every other")  # else a copy, as documented
    test = WRITES.format(make=make, call=call, expected=call != "copied" and in_order)
    if in_order:
        assert in_one_process(CODE, test) is None
    with student(CODE) as (_, names):
        assert run(test, names) is None


def test_views_stay_in_step() -> None:
    test = """
x = np.zeros((3, 2))
keeper = Keeper(x)
row = keeper.row(1)
row += 1
assert x.sum() == 2 and keeper.total() == 2
x[1] = 5
assert row.tolist() == [5, 5] and keeper.total() == 10
again = keeper.row(1)
again[0] = 7
assert x[1].tolist() == [7, 5] and row.tolist() == [7, 5] and keeper.total() == 12
y = back(x[:, 0])
assert y.tolist() == [0, 7, 0]
z = fixed(x)
assert not z.flags.writeable
try:
    z[0] = 1
    raise RuntimeError("it could be written")
except ValueError:
    pass
x.flags.writeable = False
try:
    keeper.row(0)[:] = 3
    raise RuntimeError("it could be written")
except ValueError:
    pass
"""
    assert in_one_process(CODE, test) is None
    with student(CODE) as (_, names):
        assert run(test, names) is None


@pytest.mark.parametrize(
    "offset, shape, steps",
    [(0, (7,), (1,)), (6, (1,), (1,)), (-1, (1,), (1,)), (0, (2,), (6,)), (0, (2,), (-1,)),
     (0, (3, 3), (0, 0)), (0, (0,), (1,)), (5, (3,), (-3,)), (0, (2**40,), (0,))],
)  # fmt: skip
@pytest.mark.parametrize("twin", [np.zeros(6), torch.zeros(6), [0] * 6])
def test_no_window_reaches_beyond_its_array(
    twin: object, offset: int, shape: tuple[int, ...], steps: tuple[int, ...]
) -> None:
    near, far = socket.socketpair()
    with near, far:
        checker = Checker(near)
        number, _ = checker.enter(twin, None)
        checker.sequence = 1
        body = bytes(4) + bytes(4) + bytes([0] * 4)  # nothing printed, no warnings
        body += b"S" + (1).to_bytes(8, "little") + b"w" + number.to_bytes(8, "little")
        body += offset.to_bytes(8, "little", signed=True) + bytes([len(shape)])
        body += b"".join(size.to_bytes(8, "little") for size in shape)
        body += b"".join(step.to_bytes(8, "little", signed=True) for step in steps) + b"\1"
        head = bytes([ANSWER]) + (1).to_bytes(8, "little") + bytes(8) + b"00"
        far.sendall((len(head) + len(body)).to_bytes(4, "big") + head + body)
        with pytest.raises((PeerError, CodecError), match="view|impossible|left over"):
            checker.answer(1)
