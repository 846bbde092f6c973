"""The kinds of values that Python itself has: numbers, text, containers.

Types are compared exactly, or through methods of the base class alone, so that no method of a
student's class runs while a value is written.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from autograder.job.codec import (
    FINDERS,
    KINDS,
    READERS,
    CodecError,
    Decoder,
    Encoder,
    Kind,
    plain,
)
from autograder.job.containers import (
    fields_of,
    get_bytearray,
    get_deque,
    get_list,
    get_named,
    get_packed,
    get_packed_list,
    get_pairs,
    get_set,
    put_bytearray,
    put_deque,
    put_members,
    put_named,
    put_pairs,
    put_sequence,
)

MAX_INT_BYTES = 1 << 16  # about 157,000 decimal digits

_Q, _D = struct.Struct("<q"), struct.Struct("<d")


def _put_int(out: Encoder, value: int) -> None:
    if -(1 << 63) <= value < 1 << 63:
        out.out += b"i" + _Q.pack(value)
        return
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise CodecError(f"an int of {size:,} bytes; at most {MAX_INT_BYTES:,} can be handed over")
    out.out += b"I"
    out.raw(value.to_bytes(size, "little", signed=True))


def _get_int(source: Decoder) -> int:
    data = source.raw()
    if len(data) > MAX_INT_BYTES:
        raise CodecError(f"an int of {len(data):,} bytes")
    return int.from_bytes(data, "little", signed=True)


def _put_float(out: Encoder, value: float) -> None:
    out.out += b"f" + _D.pack(value)


def _put_str(out: Encoder, value: str) -> None:
    out.out += b"s"
    out.text(value)


def _put_bytes(out: Encoder, value: bytes) -> None:
    out.out += b"b"
    out.raw(value)


def _put_constant(out: Encoder, value: Any) -> None:
    out.out += _CONSTANTS[value]


_CONSTANTS: dict[Any, bytes] = {
    None: b"0",
    True: b"1",
    False: b"2",
    ...: b"3",
    NotImplemented: b"4",
}


def _put_range(out: Encoder, value: range) -> None:
    out.tag(b"r")
    for part in (value.start, value.stop, value.step):
        _put_int(out, part)


def _put_slice(out: Encoder, value: slice) -> None:
    out.tag(b"x")
    for part in (value.start, value.stop, value.step):
        out.put(part)


def _get_complex(source: Decoder) -> complex:
    return complex(*struct.unpack("<dd", source.take(16)))


def _get_range(source: Decoder) -> range:
    parts = [source.get() for _ in range(3)]
    if not all(type(part) is int for part in parts):
        raise CodecError("a range of something else than ints")
    return range(*parts)


def _get_slice(source: Decoder) -> slice:
    return slice(source.get(), source.get(), source.get())


_TUPLE = Kind(put_sequence(b"t", b"T"))
_FROZEN = Kind(put_members(b"z"))
_WRITTEN: dict[type, Kind] = {
    **{type(value): Kind(_put_constant) for value in _CONSTANTS},
    int: Kind(_put_int),
    float: Kind(_put_float),
    complex: Kind(lambda out, z: out.tag(b"c" + struct.pack("<dd", z.real, z.imag))),
    str: Kind(_put_str),
    bytes: Kind(_put_bytes),
    bytearray: Kind(put_bytearray, shared=True),
    list: Kind(put_sequence(b"l", b"L"), shared=True),
    tuple: Kind(lambda out, value: out.body(_TUPLE, value)),
    dict: Kind(put_pairs(b"d"), shared=True),
    Counter: Kind(put_pairs(b"C"), shared=True),
    OrderedDict: Kind(put_pairs(b"O"), shared=True),
    defaultdict: Kind(put_pairs(b"W"), shared=True),
    set: Kind(put_members(b"e"), shared=True),
    frozenset: Kind(lambda out, value: out.body(_FROZEN, value)),
    deque: Kind(put_deque, shared=True),
    range: Kind(_put_range),
    slice: Kind(_put_slice),
}

_READ: dict[int, Callable[[Decoder], Any]] = {
    **{
        tag[0]: plain(lambda source, value=value: value)  # type: ignore[misc]
        for value, tag in _CONSTANTS.items()
    },
    ord("i"): plain(Decoder.int64),
    ord("I"): plain(_get_int),
    ord("f"): plain(lambda source: _D.unpack(source.take(8))[0]),
    ord("c"): plain(_get_complex),
    ord("s"): plain(Decoder.text),
    ord("b"): plain(Decoder.raw),
    ord("B"): get_bytearray,
    ord("l"): get_list,
    ord("L"): get_packed_list,
    ord("t"): plain(lambda source: tuple(source.items())),
    ord("T"): plain(lambda source: tuple(get_packed(source))),
    ord("d"): get_pairs(dict),
    ord("C"): get_pairs(Counter),
    ord("O"): get_pairs(OrderedDict),
    ord("W"): get_pairs(defaultdict),
    ord("e"): get_set,
    ord("z"): plain(lambda source: frozenset(source.items())),
    ord("q"): get_deque,
    ord("r"): plain(_get_range),
    ord("x"): plain(_get_slice),
    ord("N"): plain(get_named),
}


# Subclasses become their base value, through methods of the base alone; the order matters, since a
# Counter is a dict.
_BASES: list[tuple[type, Callable[[Any], Any] | None]] = [
    (int, int.__pos__),
    (float, float.__pos__),
    (complex, complex.__pos__),
    (str, str.__str__),
    (bytes, lambda value: b"".join([value])),
    (list, lambda value: list(list.__iter__(value))),
    (Counter, None),
    (OrderedDict, None),
    (defaultdict, None),
    (dict, None),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (deque, lambda value: deque(deque.__iter__(value), value.maxlen)),
    (bytearray, lambda value: bytearray(memoryview(value))),
]
_SCALARS = (int, float, complex, str, bytes)


def _find_base(value: Any, kind: type) -> Kind | None:
    """Return how to write an object of a subclass: as its base value.

    A container class with public methods of its own is no plain value: its methods would be lost.
    """
    mro = type.__dict__["__mro__"].__get__(kind)
    for base, convert in _BASES:
        if base in mro:
            if base not in _SCALARS and _adds(mro, base, ()):
                return None
            row = _WRITTEN[base]
            return row if convert is None else Kind(_converted(row, convert), row.shared)
    if tuple in mro:
        return None if _adds(mro, tuple, fields_of(kind) or ()) else Kind(put_named)
    return None


def _converted(row: Kind, convert: Callable[[Any], Any]) -> Callable[[Encoder, Any], None]:
    return lambda out, value: row.write(out, convert(value))


def _adds(mro: tuple[type, ...], base: type, fields: tuple[str, ...]) -> bool:
    """Tell whether the classes before `base` have public names of their own."""
    before = mro[: mro.index(base)]
    return any(name[0] != "_" and name not in fields for kind in before for name in vars(kind))


KINDS.update(_WRITTEN)
READERS.update(_READ)
FINDERS.append(_find_base)
