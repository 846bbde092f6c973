"""Whatever a student's process sends, the checker answers with one clean error, and soon."""

import contextlib
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from two_processes import run, student

from autograder.job.codec import MAX_BYTES, Encoder
from autograder.job.ends import Checker, Student
from autograder.job.messages import DeadKernelError, PeerError

SOON_S = 10.0


def frame(body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + body


def answer(
    payload: bytes, number: int = 1, kind: bytes = b"=", changes: bytes = b"\0" * 8
) -> bytes:
    """A message with no changes, no random states, nothing printed, and this payload."""
    texts = b"\0" * 12 if kind != b"?" else b""
    return frame(kind + number.to_bytes(8, "little") + changes + b"0" + texts + payload)


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


def count(value: int) -> bytes:
    return struct.pack("<I", value)


def number(value: int) -> bytes:
    return value.to_bytes(8, "little", signed=value < 0)


def shape(*sizes: int) -> bytes:
    return bytes([len(sizes)]) + b"".join(size.to_bytes(8, "little") for size in sizes)


F8 = b"p" + text(b"<f8")
CLASS = (
    b"X" + number(1) + text(b"A") + text(b"__main__") + text(b"A") + text(b"") + text(b"") + b"\0"
)
PAYLOADS = {
    "nothing": b"",
    "unknown tag": b"\xff",
    "pickle": b"P" + number(1) + count(0) + text(b"cos\nsystem\n(S'echo'\ntR."),
    "left over": b"00",
    "half an int": b"i\0\0",
    "string that is too short": b"s" + count(100) + b"abc",
    "string that is not utf-8": b"s" + text(b"\xff\xfe"),
    "many announced": b"l" + count(2**32 - 1),
    "many announced, packed": b"LF" + count(2**32 - 8),
    "packed of odd length": b"LF" + text(b"123"),
    "deep lists": (b"l" + count(1)) * 100_000 + b"0",
    "deep tuples": (b"t" + count(1)) * 100_000 + b"0",
    "deep dicts": (b"d" + count(1) + b"0") * 100_000 + b"0",
    "deep dtypes": b"a" + (b"s" + shape(1)) * 100_000 + F8,
    "deep exceptions": (b"En" + count(0)) * 50_000 + b"0",
    "large int": b"I" + text(b"\x7f" * (1 << 17)),
    "unhashable key": b"d" + count(1) + b"l" + count(0) + b"0",
    "unhashable member": b"e" + count(1) + b"l" + count(0),
    "array of objects of no size": b"ao" + shape(2**62) + count(0),
    "array of many objects": b"ao" + shape(2**20, 2**10) + count(0),
    "shape that overflows": b"a" + F8 + shape(2**63, 2) + text(b""),
    "shape times size overflows": b"a" + F8 + shape(2**61, 8) + text(b""),
    "large empty array": b"a" + F8 + shape(2**62, 0) + text(b""),
    "too few bytes": b"a" + F8 + shape(1000) + text(b"\0" * 8),
    "many axes": b"a" + F8 + bytes([255]) + b"\1\0\0\0\0\0\0\0" * 255 + text(b"\0" * 8),
    "object dtype by name": b"ap" + text(b"|O8") + shape(1) + text(b"\0" * 8),
    "strange dtype": b"ap" + text(b"<f8,<f8") + shape(1) + text(b"\0" * 16),
    "void of many bytes": b"ap" + text(b"|V999999999") + shape(0, 9) + text(b"") + b"0",
    "no characters": b"ap" + text(b"<U1") + shape(1) + text(b"\xff\xff\xff\x7f"),
    "fields of many": b"af" + count(2**31),
    "structure of many": b"af" + count(1) + text(b"a") + F8 + shape(2**50) + text(b""),
    "bad tensor": b"g\0" + text(b"float32") + shape(2**40) + text(b""),
    "tensor of no dtype": b"g\0" + text(b"qint8") + shape(1) + text(b"\0"),
    "ints with a gradient": b"g\3" + text(b"int64") + shape(1) + text(b"\0" * 8) + b"0",
    "gradient of another shape": (
        b"g\3" + text(b"float32") + shape(1) + text(b"\0" * 4) + b"1"
        + text(b"float32") + shape(2) + text(b"\0" * 8)
    ),
    "scalar that is an array": b"na" + F8 + shape(2) + text(b"\0" * 16),
    "scalar that is no array": b"ni" + number(1),
    "unknown reference": b"R" + number(77),
    "unknown object of the test": b"Y" + number(0),
    "unknown object": b"u" + number(1),
    "shared under the checker's number": b"S" + number(4) + b"l" + count(0),
    "shared int": b"S" + number(1) + b"i" + number(1),
    "shared twice": b"t" + count(2) + (b"S" + number(1) + b"l" + count(0)) * 2,
    "shared negative": b"S" + number(-1) + b"l" + count(0),
    "shared in shared": b"S" + number(1) + b"S" + number(3) + b"l" + count(0),
    "object of no class": b"M" + number(1) + b"0",
    "object of a function": b"M" + number(1) + b"D" + text(b"builtins") + text(b"len"),
    "class of no class": CLASS + count(1) + b"0" + count(0),
    "class of int": CLASS + count(1) + b"D" + text(b"builtins") + text(b"int") + count(0),
    "function that reads files": b"D" + text(b"builtins") + text(b"open"),
    "function that evaluates": b"D" + text(b"builtins") + text(b"eval"),
    "function that unpickles": b"D" + text(b"pickle") + text(b"loads"),
    "function of torch that loads": b"D" + text(b"torch") + text(b"load"),
    "function that imports": b"D" + text(b"builtins") + text(b"__import__"),
    "graph of nothing": b"J0" + b"0",
    "named tuple of bad names": b"N" + text(b"A B") + count(1) + text(b"x") + b"0",
    "named tuple of code": b"N" + text(b"A") + count(1) + text(b"x): import os\ndef f(") + b"0",
    "named tuple of keywords": b"N" + text(b"A") + count(1) + text(b"class") + b"0",
    "named tuple of many": b"N" + text(b"A") + count(999) + text(b"x") * 999 + b"0" * 999,
    "default factory that is no function": b"W" + b"i" + number(1) + count(0),
    "bad date": b"pd" + text(b"2024-99-99"),
    "bad fraction": b"pr" + text(b"1/0"),
    "huge fraction": b"pr" + text(b"1" * 100_000),
    "huge decimal": b"pc" + text(b"1e"),
    "bad device": b"v" + text(b"cuda:0;rm"),
    "bad range": b"r" + b"f" * 27,
    "zero step": b"r" + (b"i" + number(0)) * 3,
    "bad view": b"Vx" + count(0),
    "view of pairs": b"Vi" + count(1) + b"0",
    "bad array of the library": b"Az" + text(b"123"),
    "generator of no name": b"G" + text(b"System:") + b"0",
    "generator of a bad state": b"G" + text(b"RandomState:") + b"d" + count(0),
    "random of a bad state": b"G" + text(b"Random:") + b"t" + count(0),
    "torch of a bad state": b"G" + text(b"Generator:") + b"b" + text(b"123"),
}  # fmt: skip


@pytest.fixture
def ends() -> tuple[Checker, socket.socket]:
    near, far = socket.socketpair()
    near.settimeout(SOON_S)
    return Checker(near), far


def send(far: socket.socket, data: bytes) -> None:
    """Send as much as is read, without waiting for it."""

    def write() -> None:
        with contextlib.suppress(OSError):
            far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    threading.Thread(target=write, daemon=True).start()


def must_die(checker: Checker, kind: type[BaseException] = PeerError) -> str:
    """The next request ends in this error, and so does every later one."""
    begin = time.monotonic()
    with pytest.raises(kind) as caught:
        checker.request("name", "x")
    assert time.monotonic() - begin < SOON_S
    with pytest.raises(kind):
        checker.request("name", "y")
    return str(caught.value)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_bytes_that_make_no_sense(ends: tuple[Checker, socket.socket], payload: bytes) -> None:
    checker, far = ends
    send(far, answer(payload))
    assert len(must_die(checker)) < 500


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_the_same_in_an_exception(ends: tuple[Checker, socket.socket], payload: bytes) -> None:
    checker, far = ends
    send(far, answer(b"n" + count(0) + payload + text(b"") + b"d" + count(0), kind=b"!"))
    with pytest.raises((PeerError, Exception)):
        checker.request("name", "x")


FRAMES = {
    "garbage": b"\0\0\0\x20" + os.urandom(32),
    "a large message": struct.pack("!I", MAX_BYTES + 1),
    "an empty message": struct.pack("!I", 0),
    "a message of no kind": answer(b"0", kind=b"z"),
    "an answer to nothing": answer(b"0", number=99),
    "http": b"GET / HTTP/1.1\r\n\r\n" + b"x" * 1000,
    "changes of nothing": answer(b"0", changes=count(1) + number(8) + b"0" + count(0)),
    "many changes": answer(b"0", changes=count(2**32 - 1) + count(0)),
    "random states of nothing": frame(b"=" + number(1) + b"\0" * 8 + b"i" + number(1)),
    "a request of no kind": answer(text(b"exec") + b"0" + count(0) + count(0), kind=b"?"),
}


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES.keys())
def test_messages_that_make_no_sense(ends: tuple[Checker, socket.socket], data: bytes) -> None:
    checker, far = ends
    send(far, data)
    must_die(checker)


def test_the_end_of_the_process_has_a_name_of_its_own(ends: tuple[Checker, socket.socket]) -> None:
    checker, far = ends
    far.close()
    must_die(checker, DeadKernelError)


def test_half_a_message(ends: tuple[Checker, socket.socket]) -> None:
    checker, far = ends
    far.sendall(answer(b"0")[:-2])
    far.close()
    must_die(checker, DeadKernelError)


def test_an_error_of_the_peer_is_no_exception_that_a_test_expects() -> None:
    assert not issubclass(PeerError, Exception)
    assert not issubclass(DeadKernelError, Exception)


def request(operation: str, *args: bytes) -> bytes:
    body = text(operation.encode()) + b"0" + count(len(args)) + b"".join(args) + count(0)
    return answer(body, kind=b"?")


class Secretive:
    """What a test might hand over."""

    def __init__(self) -> None:
        self.public = 3
        self._private = 4
        self.method_called = False

    def method(self) -> int:
        self.method_called = True
        return 5


Secretive.__module__ = "__main__"


def ask_as_student(value: object, operation: str, *args: bytes) -> tuple[str, object]:
    """Hand `value` over, let the other end do this with it, and return how that went."""
    near, far = socket.socketpair()
    near.settimeout(SOON_S)
    checker = Checker(near)

    def other_end() -> None:
        student_end = Student(far, {})
        _, seq, source = student_end.receive()
        _, _, received, _ = student_end.finish(source, student_end._read_request)
        student_end.calls = 1  # it is in a call
        try:
            found = ("value", student_end.request(operation, received[1], *args))
        except Exception as error:
            found = ("error", f"{type(error).__name__}: {error}")
        student_end._reply(b"="[0], seq, found, ("", ""), [])

    thread = threading.Thread(target=other_end)
    thread.start()
    try:
        result = checker.request("__call__", len, value)
        assert type(result) is tuple
        return result
    finally:
        thread.join(SOON_S)
        near.close()
        far.close()


def hidden_function(x: int = 42) -> int:
    return x + 1


hidden_function.__module__ = "__main__"


@pytest.mark.parametrize(
    ("value", "operation", "args"),
    [
        (hidden_function, "getattr", ("__globals__",)),
        (hidden_function, "getattr", ("__code__",)),
        (hidden_function, "getattr", ("__closure__",)),
        (hidden_function, "getattr", ("__defaults__",)),
        (hidden_function, "getattr", ("__dict__",)),
        (hidden_function, "setattr", ("__code__", 1)),
        (hidden_function, "setattr", ("x", 1)),
        (hidden_function, "source", ()),
        (hidden_function, "signature", ()),
        (hidden_function, "dir", ()),
        (hidden_function, "repr", ()),
        ((i for i in [1, 2]), "getattr", ("gi_frame",)),
        ((i for i in [1, 2]), "getattr", ("send",)),
        (Secretive(), "getattr", ("_private",)),
        (Secretive(), "getattr", ("__class__",)),
        (Secretive(), "getattr", ("__dict__",)),
        (Secretive(), "getattr", ("__init__",)),
        (Secretive(), "setattr", ("method", 1)),
        (Secretive(), "setattr", ("__class__", 1)),
        (Secretive(), "setattr", ("new", 1)),
        (Secretive(), "delattr", ("_private",)),
        (Secretive().method, "getattr", ("__self__",)),
        (Secretive().method, "getattr", ("__func__",)),
        (Secretive, "getattr", ("__mro__",)),
        (Secretive, "getattr", ("__subclasses__",)),
        (Secretive, "setattr", ("method", 1)),
        (Secretive(), "copy", (True,)),
        (Secretive(), "array", ()),
        (Secretive(), "issubclass", (3,)),
    ],
)
def test_a_student_reaches_nothing_through_what_a_test_handed_over(
    value: object, operation: str, args: tuple[object, ...]
) -> None:
    how, what = ask_as_student(value, operation, *args)  # type: ignore[arg-type]
    assert how == "error", what


def test_a_stand_in_is_of_no_use_between_the_calls() -> None:
    near, far = socket.socketpair()
    with near, far, pytest.raises(RuntimeError, match="its test is over"):
        Student(far, {}).request("__call__", len)


def test_a_student_may_use_what_is_public() -> None:
    assert ask_as_student(hidden_function, "__call__", 1) == ("value", 2)  # type: ignore[arg-type]
    assert ask_as_student(Secretive(), "getattr", "public") == ("value", 3)  # type: ignore[arg-type]
    assert ask_as_student(iter([7]), "__next__") == ("value", 7)


STUDENT_ATTACKS: dict[str, Callable[[], None] | str] = {
    "raises SkipTest": "import unittest\ndef f(): raise unittest.SkipTest('x')",
    "raises pytest's skip": "import pytest\ndef f(): pytest.skip('x')",
    "derives from SkipTest": "import unittest\nclass E(unittest.SkipTest): pass\ndef f(): raise E",
}


@pytest.mark.parametrize("code", STUDENT_ATTACKS.values(), ids=STUDENT_ATTACKS.keys())
def test_no_exception_skips_a_test(code: str) -> None:
    with student(code) as (_, names):
        error = run("f()", names)
    assert isinstance(error, Exception)
    assert type(error).__mro__[1:3] in ((BaseException, object), (Exception, BaseException)), error


LIARS = """
import numpy as np, torch
class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __instancecheck__(self, c): return True
    def __array__(self, *a, **k): return Yes([4])
    def __reduce__(self): return (print, ('pwned',))
    @property
    def __class__(self): return float
class LiarInt(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __reduce__(self): return (print, ('pwned',))
class LiarFloat(float):
    def __eq__(self, other): return True
    def __float__(self): return 3.0
class LiarStr(str):
    def __eq__(self, other): return True
    def __str__(self): return '3'
class LiarList(list):
    def __eq__(self, other): return True
    def __iter__(self): return iter([3])
    def __len__(self): return 1
class LiarDict(dict):
    def __eq__(self, other): return True
    def items(self): return [(3, 3)]
class Yes(np.ndarray):
    def __new__(cls, v): return np.asarray(v).view(cls)
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
class YesTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *a, **k): return True
def liar(): return Liar()
def number(): return LiarInt(4)
def real(): return LiarFloat(4.0)
def string(): return LiarStr('4')
def items(): return LiarList([4])
def table(): return LiarDict({4: 4})
def array(): return Yes([4.0])
def tensor(): return torch.tensor([4.0]).as_subclass(YesTensor)
def nested(): return [Yes([4.0]), {'a': LiarInt(4)}, (LiarStr('4'),)]
"""


@pytest.mark.parametrize(
    "check",
    [
        "liar() == 3",
        "not (liar() != 3)",
        "liar() < 3",
        "liar() >= 3",
        "liar()",
        "not not liar()",
        "np.allclose(liar(), 3)",
        "isinstance(liar(), float)",
        "number() == 3",
        "number() - 3 == 0",
        "real() == 3.0",
        "float(real()) == 3.0",
        "string() == '3'",
        "str(string()) == '3'",
        "items() == [3]",
        "list(items()) == [3]",
        "table() == {3: 3}",
        "dict(table()) == {3: 3}",
        "(array() == 3).all()",
        "np.allclose(array(), 3)",
        "np.array_equal(array(), [3])",
        "torch.equal(tensor(), torch.tensor([3.0]))",
        "torch.allclose(tensor(), torch.tensor([3.0]))",
        "nested()[0][0] == 3",
        "nested()[1]['a'] == 3",
        "nested()[2][0] == '3'",
        "3 in [liar()]",
        "liar() in [3]",
        "sorted([liar(), 3])",
        "{liar(): 1}[3]",
    ],
)
def test_no_lie_passes(check: str) -> None:
    with student(LIARS) as (_, names):
        error = run(f"assert {check}", names)
    assert isinstance(error, (AssertionError, TypeError, KeyError, ValueError)), error


PATCHES = """
import builtins, numpy as np, torch, math
for name in ('allclose', 'array_equal', 'all', 'abs', 'asarray'):
    setattr(np, name, lambda *a, **k: True)
np.testing.assert_allclose = lambda *a, **k: None
torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = lambda *a: True
math.isclose = lambda *a, **k: True
builtins.all = builtins.abs = lambda *a: True
all = any = abs = isinstance = len = lambda *a: 1
def f(): return 4.0
np.exp = 4.0
"""


@pytest.mark.parametrize(
    "check",
    [
        "np.allclose(f(), 3)",
        "all([f() == 3])",
        "abs(f() - 3) < 1e-9",
        "isinstance(f(), str)",
        "math.isclose(f(), 3)",
        "torch.equal(torch.tensor(f()), torch.tensor(3.0))",
        "len([]) == 1",
    ],
)
def test_patches_stay_with_the_student(check: str) -> None:
    with student(PATCHES) as (_, names):
        assert isinstance(run(f"assert {check}", names), AssertionError)
        assert run("assert np.exp(0) == 1", names) is None


def test_calls_to_and_fro_are_bounded() -> None:
    code = "def f(g, n): return g(f, n + 1)"
    test = "def g(f, n): return f(g, n + 1)\nf(g, 0)"
    with student(code) as (checker, names):
        assert isinstance(run(test, names), RecursionError)
        assert run("assert f(lambda h, n: n, 1) == 2", names) is None
        assert checker.dead is None


def test_a_value_too_large_costs_one_call() -> None:
    code = "def f(n): return bytes(n)\ndef g(n): return 10 ** n"
    with student(code) as (_, names):
        assert isinstance(run("f(100_000_000)", names), TypeError)
        assert run("assert len(f(1000)) == 1000", names) is None
        assert run("assert g(100_000) == 10 ** 100_000", names) is None
        assert isinstance(run("g(10_000_000)", names), TypeError)
        assert isinstance(run("f(b'0' * 70_000_000)", names), TypeError)


def test_a_cycle_and_a_deep_list() -> None:
    code = """
def cycle():
    a = [1]
    a.append(a)
    return a
def deep(n):
    a = []
    for _ in range(n): a = [a]
    return a
"""
    with student(code) as (_, names):
        assert run("a = cycle()\nassert a[1] is a", names) is None
        assert run("assert deep(50)", names) is None
        assert isinstance(run("deep(100_000)", names), TypeError)
        assert run("assert deep(3) == [[[[]]]]", names) is None


def test_the_end_of_the_student_in_a_call() -> None:
    with student("import os\ndef f(): os._exit(3)") as (_, names):
        assert isinstance(run("f()", names), DeadKernelError)


def test_an_interrupted_call_can_be_followed_by_another() -> None:
    code = """
import time
def slow():
    time.sleep(0.5)
    return 'late'
"""
    with student(code) as (checker, names):
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        assert isinstance(run("slow()", names), KeyboardInterrupt)
        timer.join()
        assert run("assert slow() == 'late'", names) is None
        assert checker.dead is None and not checker.given_up


def test_random_states_that_would_lead_out_of_memory(ends: tuple[Checker, socket.socket]) -> None:
    state = np.random.RandomState(0).get_state(legacy=False)
    state["state"]["pos"] = 10**9
    out = Encoder()
    out.put({"numpy.random": state})
    checker, far = ends
    far.sendall(frame(b"=" + number(1) + b"\0" * 8 + bytes(out.out) + b"\0" * 12 + b"0"))
    must_die(checker)


def test_changes_of_another_kind_or_shape(ends: tuple[Checker, socket.socket]) -> None:
    for value, change in (
        ([1], b"d" + count(0)),
        ({1: 2}, b"l" + count(0)),
        ([1], b"i" + number(1)),
        (np.zeros(2), b"a" + F8 + shape(3) + text(b"\0" * 24)),
        (np.zeros(2), b"l" + count(0)),
        (torch.zeros(2), b"l" + count(0)),
        (np.random.default_rng(0), b"l" + count(0)),
        ([1], b"R" + number(0)),
        ([1], b"S" + number(1) + b"l" + count(0)),
        ([1], b""),
    ):
        near, far = socket.socketpair()
        near.settimeout(SOON_S)
        checker = Checker(near)
        changes = count(1) + number(0) + change + count(0)
        far.sendall(frame(b"=" + number(1) + changes + b"0" + b"\0" * 12 + b"0"))
        with pytest.raises(PeerError):
            checker.request("__call__", value)
        near.close()
        far.close()
