"""Each kind of value comes back as it was, and nothing else is a value."""

import array
import datetime
import decimal
import fractions
import math
import pathlib
import random
import struct
import time
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import numpy as np
import pytest
import torch

from autograder.job import crossing, tensors
from autograder.job.codec import CodecError, decode, encode
from autograder.job.values import MAX_INT_BYTES

assert crossing  # kinds of values are entered by importing it

ENCODE_S = 0.25  # a million floats; 0.035 s on an idle machine, and this test may not be alone
Point = namedtuple("Point", "x y")
VALUES: list[Any] = [
    None, True, False, ..., NotImplemented, 0, -1, 2**63 - 1, -(2**63), 2**63, -(10**50),
    10**100_000, 0.0, -0.0, math.inf, -math.inf, 5e-324, 1j, complex(-0.0, math.inf), "", "añ",
    "\ud800", "\0", b"", b"\xff", bytearray(b"ab"), [], [1], list(range(20)), [1.5] * 20,
    [True] * 20, [1, 2.0] * 10, [2**70] * 20, (), (1,), tuple(range(20)), tuple([0.5] * 20),
    {}, {1: 2}, {"b": [1], "a": {2: ()}}, {(1, 2): {3}}, set(), {1, "a", (2,)},
    frozenset({1, frozenset()}), range(0), range(10, 0, -3), range(10**20), slice(1, None, -1),
    Counter("aab"), OrderedDict(b=1, a=2), defaultdict(list, {1: [2]}), defaultdict(None, {1: 2}),
    deque([1, 2]), deque([1, 2], maxlen=2), deque([], maxlen=0), Point(1, [2]),
    array.array("d", [1.5]), array.array("B", [1]),
    datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3, 4, 5, 6),
    datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), datetime.time(1, 2),
    datetime.timedelta(-1, 5),
    decimal.Decimal("0.10"), decimal.Decimal("NaN"), fractions.Fraction(-1, 3), pathlib.Path("a/b"),
    {1: 2}.keys(), {1: 2}.items(),
    np.float32(1.5), np.int8(-3), np.bool_(True), np.str_("ab"), np.datetime64("2024-01-01"),
    np.timedelta64(3, "h"), np.complex128(1j), np.dtype("<f8"),
    np.dtype([("a", "<i4"), ("b", "<f8", (2,))]),
    torch.Size([1, 2]), torch.Size([-1]), torch.Size([2] * 300),
    torch.float64, torch.bfloat16, torch.device("cpu"),
]  # fmt: skip


def through(value: Any) -> Any:
    return decode(encode(value))


def _links() -> Any:
    """The one kind that needs to know more than plain values: a factory that is a type."""

    class Names:
        def share(self, out: Any, value: Any) -> tuple[bool, None]:
            return False, None

        def put_other(self, out: Any, value: Any) -> None:
            assert value is list
            out.tag(b"\x01")

        def get_other(self, source: Any, tag: int) -> Any:
            return list

        def born(self, number: int, value: Any) -> None: ...

        def of(self, number: int, mine: bool | None) -> Any: ...

        def graph(self, number: int | None, value: Any) -> Any: ...

        def tuple_type(self, name: str, fields: tuple[str, ...], items: list[Any]) -> Any: ...

    return Names()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values(value: Any) -> None:
    got = decode(encode(value, _links()), _links())
    assert type(got).__name__ == type(value).__name__
    if value == value:  # not a NaN
        assert got == value
    assert isinstance(value, int) or repr(got) == repr(value)


def test_floats_are_exact() -> None:
    nan = struct.unpack("<d", b"\1\0\0\0\0\0\xf8\x7f")[0]
    assert struct.pack("<d", through(nan)) == struct.pack("<d", nan)
    got = through([nan, -0.0] * 8)
    assert math.isnan(got[0]) and math.copysign(1, got[1]) == -1


DTYPES = "?bBhHiIlLqQefdgFD"


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3), (1, 1, 1, 1)])
def test_arrays(code: str, shape: tuple[int, ...]) -> None:
    value = np.asarray(np.random.default_rng(0).random(shape) * 100).astype(code)
    for given in (value, value.T, np.asfortranarray(value)):
        got = through(given)
        assert got.dtype == given.dtype and got.shape == given.shape
        assert np.array_equal(got, given) and got.flags.writeable
        assert not np.shares_memory(got, given)


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "añb"]),
        np.array([b"a", b"bc"]),
        np.array(["2024-01-01", "NaT"], dtype="datetime64[ns]"),
        np.array([1, 2], dtype="timedelta64[3m]"),
        np.array([(1, 2.0, "x")], dtype=[("a", int), ("b", float), ("c", "U3")]),
        np.zeros(2, dtype=[("a", [("b", "<f4", (2,))]), ("c", "?")]),
        np.array([None, [1], "x"], dtype=object),
        np.array([[1, 2], [3, 4]], dtype=">i4"),
        np.zeros(3, dtype="V5"),
    ],
    ids=str,
)
def test_more_arrays(value: np.ndarray) -> None:
    got = through(value)
    assert got.dtype == value.dtype and repr(got.tolist()) == repr(value.tolist())


def test_other_kinds_of_arrays() -> None:
    masked = through(np.ma.array([1, 2], mask=[True, False]))
    assert isinstance(masked, np.ma.MaskedArray) and masked.tolist() == [None, 2]
    assert type(through(np.matrix([[1, 2]]))) is np.matrix


@pytest.mark.parametrize("dtype", sorted(tensors.torch_dtypes()))
def test_tensors(dtype: str) -> None:
    kind = tensors.torch_dtypes()[dtype]
    for shape in ((), (0,), (2, 3)):
        value = (torch.rand(shape) * 100).to(kind)
        got = through(value)
        assert got.dtype is kind and got.shape == value.shape
        assert got.tolist() == value.tolist() and not got.requires_grad


def test_tensors_with_gradients() -> None:
    leaf = torch.tensor([1.0], requires_grad=True)
    leaf.grad = torch.tensor([3.0])
    got = through(leaf)
    assert got.requires_grad and got.is_leaf and got.grad.tolist() == [3]
    parameter = through(torch.nn.Parameter(torch.ones(2), requires_grad=False))
    assert isinstance(parameter, torch.nn.Parameter) and not parameter.requires_grad
    assert through(torch.tensor([1 + 1j]).conj()).tolist() == [1 - 1j]


@pytest.mark.parametrize(
    "value",
    [torch.zeros(2, device="meta"), torch.eye(2).to_sparse(), object(), lambda: 0, iter([]), int],
    ids=["meta", "sparse", "object", "function", "iterator", "class"],
)
def test_what_is_no_value(value: Any) -> None:
    with pytest.raises(CodecError):
        encode(value)


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_of_numpy(bits: str) -> None:
    rng = np.random.Generator(getattr(np.random, bits)(3))
    rng.random(5, dtype=np.float32)
    assert np.array_equal(through(rng).random(9), rng.random(9))


def test_other_generators() -> None:
    state, own, torches = np.random.RandomState(3), random.Random(3), torch.Generator()
    state.randn()
    own.gauss(0, 1)
    torches.manual_seed(5)
    assert through(state).randn() == state.randn()
    assert through(own).gauss(0, 1) == own.gauss(0, 1)
    assert (
        torch.rand(3, generator=through(torches)).tolist()
        == torch.rand(3, generator=torches).tolist()
    )


class Shout(str):
    def __str__(self) -> str:
        return "lie"

    def encode(self, *_: Any) -> bytes:
        return b"lie"


class Four(int):
    def __index__(self) -> int:
        return 3

    __int__ = __pos__ = __index__


class Half(float):
    def __float__(self) -> float:
        return 9.0


class Only(list):
    def __iter__(self) -> Any:
        return iter(["lie"])

    def __len__(self) -> int:
        return 1


class Table(dict):
    def items(self) -> Any:
        return [("lie", 1)]

    def __len__(self) -> int:
        return 1


class Lying(np.ndarray):
    def tobytes(self, *_: Any) -> bytes:
        return b"\0" * 16

    @property
    def dtype(self) -> Any:
        return np.dtype("<i8")


def test_subclasses_become_their_base_value() -> None:
    lies = [Shout("a"), Four(4), Half(0.5), Only([1, 2]), Lying((2,), "<f8")]
    lies[-1].view(np.ndarray)[:] = 7.0
    got = through(lies)
    assert [type(value) for value in got] == [str, int, float, list, np.ndarray]
    assert got[:4] == ["a", 4, 0.5, [1, 2]] and got[4].tolist() == [7.0, 7.0]


def test_a_container_with_methods_of_its_own_is_no_plain_value() -> None:
    with pytest.raises(CodecError):
        encode(Table(a=1))


def test_limits() -> None:
    assert through(1 << (8 * MAX_INT_BYTES - 9))
    for value in (1 << (8 * MAX_INT_BYTES), b"0" * (65 << 20), np.zeros(9 << 20)):
        with pytest.raises(CodecError):
            encode(value)
    nested: list[Any] = []
    for _ in range(1000):
        nested = [nested]
    with pytest.raises(CodecError):
        encode(nested)


def test_a_million_floats_are_quick() -> None:
    values = np.random.default_rng(0).random(1_000_000).tolist()
    begin = time.process_time()
    data = encode(values)
    assert time.process_time() - begin < ENCODE_S
    assert decode(data) == values
