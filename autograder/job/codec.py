"""Write values as bytes and read them back: a closed format that can hold data and nothing else.

Reading never imports, calls or constructs anything that the bytes name freely: each kind of value
has one tag and one reader, and every size is checked before memory is taken. A `Link` adds what
two processes share (objects by number); without one, the format holds plain values only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

MAX_BYTES = 64 << 20  # one message
MAX_DEPTH = 150  # containers in containers
MAX_ITEMS = 4_000_000  # values in one message, beside packed numbers

_Q, _I, _D = struct.Struct("<q"), struct.Struct("<I"), struct.Struct("<d")


class CodecError(ValueError):
    """These bytes are no value, or this value cannot be written."""


class Link(Protocol):
    """Tell what two processes share, beside plain values (see `shared.Table`)."""

    def share(self, out: Encoder, value: Any) -> tuple[bool, Any]:
        """Write a reference to a known object (True), or begin a new one (False, its entry)."""

    def put_other(self, out: Encoder, value: Any) -> None:
        """Write what is no plain value."""

    def get_other(self, source: Decoder, tag: int) -> Any:
        """Read what `share` and `put_other` write."""

    def born(self, number: int, value: Any) -> None:
        """Enter a new shared object."""

    def of(self, number: int, mine: bool | None) -> Any:
        """Return a known object by its number."""

    def graph(self, number: int | None, value: Any) -> Any:
        """Give a tensor that the other side has computed its place in a graph of gradients."""

    def tuple_type(self, name: str, fields: tuple[str, ...], items: list[Any]) -> Any:
        """Return our own type for a named tuple with this name, fields and items, or None."""


class Kind(NamedTuple):
    """How values of one type are written."""

    write: Callable[[Encoder, Any], None]
    shared: bool = False  # can be changed in place, so both processes keep it in step


KINDS: dict[type, Kind] = {}  # the modules that know a kind of value enter it here
READERS: dict[int, Callable[[Decoder], Any]] = {}
FINDERS: list[Callable[[Any, type], Kind | None]] = []
_NESTING = frozenset(b"ltdCOWezqNxo")  # tags whose values hold values


class Encoder:
    """Write values into `out`."""

    def __init__(self, link: Link | None = None, limit: int = MAX_BYTES) -> None:
        self.link = link
        self.out = bytearray()
        self.depth = 0
        self.limit = limit
        self.marks = 0  # references that would be written otherwise the second time

    def put(self, value: Any) -> None:
        """Write one value."""
        kind = kind_of(value)
        if kind is None:
            if self.link is None:
                raise CodecError(f"{type(value).__name__} is not a plain value")
            self.link.put_other(self, value)
            return
        if not kind.shared:
            kind.write(self, value)
        elif self.link is None:
            self.body(kind, value)
        else:
            known, entry = self.link.share(self, value)
            if known:
                return
            start, marks = len(self.out), self.marks
            self.body(kind, value)
            if entry is not None:
                entry.digest = hash(bytes(self.out[start:])) if self.marks == marks else None
                self.marks += 1

    def body(self, kind: Kind, value: Any) -> None:
        """Write the content of a container or an array."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CodecError(f"containers are nested deeper than {MAX_DEPTH}")
        kind.write(self, value)
        self.depth -= 1
        if len(self.out) > self.limit:
            raise CodecError(f"more than {self.limit >> 20} MiB at once")

    def tag(self, tag: bytes, count: int | None = None) -> None:
        """Write a tag, and a count if there is one."""
        self.out += tag
        if count is not None:
            if count >= 1 << 32:
                raise CodecError("too many items")
            self.out += _I.pack(count)

    def raw(self, data: Any) -> None:
        """Write bytes with their length in front."""
        if len(data) > self.limit:
            raise CodecError(f"more than {self.limit >> 20} MiB at once")
        self.out += _I.pack(len(data))
        self.out += data

    def text(self, value: str) -> None:
        """Write a string with its length in front; lone surrogates survive."""
        self.raw(value.encode("utf-8", "surrogatepass"))

    def items(self, values: Iterable[Any], count: int) -> None:
        """Write a count and so many values."""
        self.out += _I.pack(count)
        put = self.put
        for value in values:
            put(value)


class Decoder:
    """Read values from bytes that may be hostile."""

    def __init__(self, data: bytes, link: Link | None = None) -> None:
        if len(data) > MAX_BYTES + 64:
            raise CodecError(f"more than {MAX_BYTES >> 20} MiB at once")
        self.data = data
        self.at = 0
        self.link = link
        self.depth = 0
        self.left = MAX_ITEMS
        self.number: int | None = None  # the next container is this shared object
        self.into: Any = None  # the next container is written into this object
        self.marks = 0

    def get(self) -> Any:
        """Read one value."""
        self.left -= 1
        if self.left < 0:
            raise CodecError(f"more than {MAX_ITEMS:,} values at once")
        if self.at >= len(self.data):
            raise CodecError("the bytes end too early")
        tag = self.data[self.at]
        self.at += 1
        read = READERS.get(tag)
        if read is not None:
            if tag in _NESTING:
                self.depth += 1
                if self.depth > MAX_DEPTH:
                    raise CodecError(f"containers are nested deeper than {MAX_DEPTH}")
                value = read(self)
                self.depth -= 1
                return value
            return read(self)
        if self.link is None:
            raise CodecError(f"tag {tag} is unknown")
        return self.link.get_other(self, tag)

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise CodecError("the bytes end too early")
        chunk = self.data[self.at : end]
        self.at = end
        return chunk

    def byte(self) -> int:
        """Read one byte as a number."""
        return self.take(1)[0]

    def count(self) -> int:
        """Read a count of values, each of which takes a byte at least."""
        count: int = _I.unpack(self.take(4))[0]
        if count > len(self.data) - self.at or count > self.left:
            raise CodecError(f"{count:,} values are announced; there are not so many bytes")
        return count

    def raw(self) -> bytes:
        """Read bytes with their length in front."""
        return self.take(_I.unpack(self.take(4))[0])

    def text(self) -> str:
        """Read a string."""
        try:
            return self.raw().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise CodecError("a string is not UTF-8") from error

    def int64(self) -> int:
        """Read a small integer."""
        return int(_Q.unpack(self.take(8))[0])

    def items(self) -> list[Any]:
        """Read a count and so many values."""
        get = self.get
        return [get() for _ in range(self.count())]

    def start(self, make: Callable[[], Any]) -> Any:
        """Return the empty container to fill: a new one, a new shared one, or a known one."""
        if self.into is not None:
            target, self.into = self.into, None
            if not isinstance(target, type(make())):
                raise CodecError(f"a {type(target).__name__} cannot become another type")
            return target
        target = make()
        if self.number is not None and self.link is not None:
            number, self.number = self.number, None
            self.link.born(number, target)
        return target

    def plain(self) -> None:
        """Refuse to write a plain value into a known object."""
        if self.into is not None or self.number is not None:
            raise CodecError("a plain value cannot be shared")


def encode(value: Any, link: Link | None = None) -> bytes:
    """Write one value as bytes. Raises CodecError if it is no plain value or too large."""
    out = Encoder(link)
    try:
        out.put(value)
    except RecursionError as error:
        raise CodecError("nested too deeply") from error
    return bytes(out.out)


def decode(data: bytes, link: Link | None = None) -> Any:
    """Read one value from bytes that may be hostile. Raises CodecError."""
    source = Decoder(data, link)
    value = guarded(source.get)
    if source.at != len(data):
        raise CodecError("bytes are left over")
    return value


def guarded(read: Callable[[], Any]) -> Any:
    """Call `read`; whatever the bytes make go wrong is a CodecError."""
    try:
        return read()
    except CodecError:
        raise
    except Exception as error:  # an unhashable key, a bad date, a dtype that NumPy refuses, ...
        raise CodecError(f"not a value: {type(error).__name__}: {error}"[:200]) from None


def kind_of(value: Any) -> Kind | None:
    """Return how to write a value, or None if it is none."""
    kind = type(value)
    found = KINDS.get(kind)
    if found is not None:
        return found
    for find in FINDERS:
        found = find(value, kind)
        if found is not None:
            if str(kind.__module__).partition(".")[0] in _LIBRARIES:
                KINDS[kind] = found
            return found
    return None


_LIBRARIES = ("numpy", "torch")  # few types, so that they can be remembered


def plain(read: Callable[[Decoder], Any]) -> Callable[[Decoder], Any]:
    """Make a reader refuse to write its value into a known object."""

    def get(source: Decoder) -> Any:
        source.plain()
        return read(source)

    return get
