"""Lists, tuples, dicts, sets and their like, and named tuples: values that hold values."""

from __future__ import annotations

import re
import struct
from array import array
from collections import defaultdict, deque, namedtuple
from collections.abc import Callable
from typing import Any

from autograder.job.codec import MAX_ITEMS, CodecError, Decoder, Encoder

MAX_FIELDS = 256  # of one named tuple

_Q, _I = struct.Struct("<q"), struct.Struct("<I")


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


def put_sequence(plain: bytes, packed: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        run = _pack(value) if len(value) >= 8 else None
        if run is None:
            out.tag(plain)
            out.items(value, len(value))
        else:
            out.tag(packed + run[0])
            out.raw(memoryview(run[1]).cast("B"))

    return put


def get_packed(source: Decoder) -> list[Any]:
    kind = source.take(1)
    if kind not in (b"F", b"J"):
        raise CodecError("unknown packing")
    run = array("d" if kind == b"F" else "q")
    run.frombytes(source.raw())
    if len(run) > 2 * MAX_ITEMS:
        raise CodecError("too many numbers at once")
    return run.tolist()


def get_list(source: Decoder) -> list[Any]:
    target: list[Any] = source.start(list)
    list.__setitem__(target, slice(None), source.items())
    return target


def get_packed_list(source: Decoder) -> list[Any]:
    target: list[Any] = source.start(list)
    list.__setitem__(target, slice(None), get_packed(source))
    return target


def put_pairs(tag: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        out.tag(tag)
        if tag == b"W":
            out.put(value.default_factory)
        out.out += _I.pack(dict.__len__(value))
        for key, item in dict.items(value):
            out.put(key)
            out.put(item)

    return put


def get_pairs(make: Any) -> Callable[[Decoder], Any]:
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


def put_members(tag: bytes) -> Callable[[Encoder, Any], None]:
    def put(out: Encoder, value: Any) -> None:
        out.tag(tag)
        out.items(value, len(value))

    return put


def get_set(source: Decoder) -> set[Any]:
    target: set[Any] = source.start(set)
    source.marks += 1  # another order here: the digest must be taken anew
    members = source.items()
    set.clear(target)
    set.update(target, members)
    return target


def put_deque(out: Encoder, value: deque[Any]) -> None:
    out.tag(b"q" + _Q.pack(-1 if value.maxlen is None else value.maxlen))
    out.items(value, len(value))


def get_deque(source: Decoder) -> deque[Any]:
    length = source.int64()
    target: deque[Any] = source.start(lambda: deque(maxlen=None if length < 0 else length))
    members = source.items()
    deque.clear(target)
    deque.extend(target, members)
    return target


def put_bytearray(out: Encoder, value: bytearray) -> None:
    out.tag(b"B")
    out.raw(value)


def get_bytearray(source: Decoder) -> bytearray:
    target: bytearray = source.start(bytearray)
    target[:] = source.raw()
    return target


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


def fields_of(kind: type) -> tuple[str, ...] | None:
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
    fields = fields_of(type(value))
    if fields is None or len(fields) != tuple.__len__(value):
        put_sequence(b"t", b"T")(out, tuple(tuple.__iter__(value)))
        return
    out.tag(b"N")
    out.text(type(value).__name__)
    out.tag(b"", len(fields))
    for field in fields:
        out.text(field)
    for item in tuple.__iter__(value):
        out.put(item)


def get_named(source: Decoder) -> Any:
    name = source.text()
    fields = tuple(source.text() for _ in range(source.count()))
    items = [source.get() for _ in fields]
    own = source.link.tuple_type(name, fields, items) if source.link is not None else None
    return tuple.__new__(own or tuple_type(name, fields), items)
