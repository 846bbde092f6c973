"""The kinds of values that Python itself has: numbers, text, containers.

Types are compared exactly, or through methods of the base class alone, so that no method of a
student's class runs while a value is written.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from typing import Any

from autograder.job.codec import (
    FINDERS,
    KINDS,
    MAX_ITEMS,
    READERS,
    CodecError,
    Decoder,
    Encoder,
    Kind,
    plain,
)

MAX_INT_BYTES = 1 << 16  # about 157,000 decimal digits
MAX_FIELDS = 256  # of one named tuple

_Q, _I, _D = struct.Struct("<q"), struct.Struct("<I"), struct.Struct("<d")


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


def _pack(values: list[Any] | tuple[Any, ...]) -> tuple[bytes, array[Any]] | None:
    """Pack a long run of floats or small ints; None if it is something else."""
    kinds = set(map(type, values))
    try:
        if kinds == {float}:
            return b"F", array("d", values)
        if kinds == {int}:
            return b"J", array("q", values)
    except OverflowError:
        pass
    return None


def _put_sequence(plain: bytes, packed: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        run = _pack(value) if len(value) >= 8 else None
        if run is None:
            out.tag(plain)
            out.items(value, len(value))
        else:
            out.tag(packed + run[0])
            out.raw(memoryview(run[1]).cast("B"))

    return put


def _get_packed(source: Decoder) -> list[Any]:
    kind = source.take(1)
    if kind not in (b"F", b"J"):
        raise CodecError("unknown packing")
    run = array("d" if kind == b"F" else "q")
    run.frombytes(source.raw())
    if len(run) > 2 * MAX_ITEMS:
        raise CodecError("too many numbers at once")
    return run.tolist()


def _get_list(source: Decoder) -> list[Any]:
    target: list[Any] = source.start(list)
    list.__setitem__(target, slice(None), source.items())
    return target


def _get_packed_list(source: Decoder) -> list[Any]:
    target: list[Any] = source.start(list)
    list.__setitem__(target, slice(None), _get_packed(source))
    return target


def _put_pairs(tag: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        out.tag(tag)
        if tag == b"W":
            out.put(value.default_factory)
        out.out += _I.pack(dict.__len__(value))
        for key, item in dict.items(value):
            out.put(key)
            out.put(item)

    return put


def _get_pairs(make: Any) -> Callable[[Decoder], Any]:
    def get(source: Decoder) -> Any:
        target = source.start(make)
        if make is defaultdict:
            factory = source.get()
            if factory is not None and not callable(factory):
                raise CodecError("a default factory must be callable")
            target.default_factory = factory
        pairs = [(source.get(), source.get()) for _ in range(source.count())]
        make.clear(target)
        for key, item in pairs:
            make.__setitem__(target, key, item)
        return target

    return get


def _put_members(tag: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        out.tag(tag)
        out.items(value, len(value))

    return put


def _get_set(source: Decoder) -> set[Any]:
    target: set[Any] = source.start(set)
    source.marks += 1  # another order here: the digest must be taken anew
    members = source.items()
    set.clear(target)
    set.update(target, members)
    return target


def _put_deque(out: Encoder, value: deque[Any]) -> None:
    out.tag(b"q" + _Q.pack(-1 if value.maxlen is None else value.maxlen))
    out.items(value, len(value))


def _get_deque(source: Decoder) -> deque[Any]:
    length = source.int64()
    target: deque[Any] = source.start(lambda: deque(maxlen=None if length < 0 else length))
    members = source.items()
    deque.clear(target)
    deque.extend(target, members)
    return target


def _put_bytearray(out: Encoder, value: bytearray) -> None:
    out.tag(b"B")
    out.raw(value)


def _get_bytearray(source: Decoder) -> bytearray:
    target: bytearray = source.start(bytearray)
    target[:] = source.raw()
    return target


def _put_range(out: Encoder, value: range) -> None:
    out.tag(b"r")
    for part in (value.start, value.stop, value.step):
        _put_int(out, part)


def _put_slice(out: Encoder, value: slice) -> None:
    out.tag(b"x")
    for part in (value.start, value.stop, value.step):
        out.put(part)


_NAME = re.compile(r"[A-Za-z_]\w{0,99}\Z")
_TUPLES: dict[tuple[str, tuple[str, ...]], Any] = {}


def tuple_type(name: str, fields: tuple[str, ...]) -> Any:
    """Return a named tuple type with these fields, always the same one."""
    made = _TUPLES.get((name, fields))
    if made is None:
        if len(_TUPLES) >= 1000 or len(fields) > MAX_FIELDS:
            raise CodecError("too many kinds of named tuples")
        if not all(_NAME.match(part) for part in (name, *fields)):
            raise CodecError("a name in a named tuple is no identifier")
        made = _TUPLES[name, fields] = namedtuple(name, fields)
        made.__module__ = "__main__"
    return made


def _fields(kind: type) -> tuple[str, ...] | None:
    """Return the field names of a named tuple type (or of a C struct sequence), else None."""
    names = kind.__dict__.get("_fields")
    for base in kind.__mro__ if names is None else ():
        names = names or base.__dict__.get("_fields")
    if names is None and hasattr(kind, "n_sequence_fields"):
        names = kind.__dict__.get("__match_args__")
    if type(names) is tuple and names and all(type(name) is str for name in names):
        return names
    return None


def put_named(out: Encoder, value: Any) -> None:
    """Write a named tuple by its name and fields."""
    fields = _fields(type(value))
    if fields is None or len(fields) != tuple.__len__(value):
        _put_sequence(b"t", b"T")(out, tuple(tuple.__iter__(value)))
        return
    out.tag(b"N")
    out.text(type(value).__name__)
    out.tag(b"", len(fields))
    for field in fields:
        out.text(field)
    for item in tuple.__iter__(value):
        out.put(item)


def _get_named(source: Decoder) -> Any:
    name = source.text()
    fields = tuple(source.text() for _ in range(source.count()))
    own = source.link.tuple_type(name, fields) if source.link is not None else None
    made = own or tuple_type(name, fields)
    return tuple.__new__(made, [source.get() for _ in fields])


def _get_complex(source: Decoder) -> complex:
    return complex(*struct.unpack("<dd", source.take(16)))


def _get_range(source: Decoder) -> range:
    parts = [source.get() for _ in range(3)]
    if not all(type(part) is int for part in parts):
        raise CodecError("a range of something else than ints")
    return range(*parts)


def _get_slice(source: Decoder) -> slice:
    return slice(source.get(), source.get(), source.get())


_TUPLE = Kind(_put_sequence(b"t", b"T"))
_FROZEN = Kind(_put_members(b"z"))
_WRITTEN: dict[type, Kind] = {
    **{type(value): Kind(_put_constant) for value in _CONSTANTS},
    int: Kind(_put_int),
    float: Kind(_put_float),
    complex: Kind(lambda out, z: out.tag(b"c" + struct.pack("<dd", z.real, z.imag))),
    str: Kind(_put_str),
    bytes: Kind(_put_bytes),
    bytearray: Kind(_put_bytearray, shared=True),
    list: Kind(_put_sequence(b"l", b"L"), shared=True),
    tuple: Kind(lambda out, value: out.body(_TUPLE, value)),
    dict: Kind(_put_pairs(b"d"), shared=True),
    Counter: Kind(_put_pairs(b"C"), shared=True),
    OrderedDict: Kind(_put_pairs(b"O"), shared=True),
    defaultdict: Kind(_put_pairs(b"W"), shared=True),
    set: Kind(_put_members(b"e"), shared=True),
    frozenset: Kind(lambda out, value: out.body(_FROZEN, value)),
    deque: Kind(_put_deque, shared=True),
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
    ord("B"): _get_bytearray,
    ord("l"): _get_list,
    ord("L"): _get_packed_list,
    ord("t"): plain(lambda source: tuple(source.items())),
    ord("T"): plain(lambda source: tuple(_get_packed(source))),
    ord("d"): _get_pairs(dict),
    ord("C"): _get_pairs(Counter),
    ord("O"): _get_pairs(OrderedDict),
    ord("W"): _get_pairs(defaultdict),
    ord("e"): _get_set,
    ord("z"): plain(lambda source: frozenset(source.items())),
    ord("q"): _get_deque,
    ord("r"): plain(_get_range),
    ord("x"): plain(_get_slice),
    ord("N"): plain(_get_named),
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
        return None if _adds(mro, tuple, _fields(kind) or ()) else Kind(put_named)
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
