"""Values of the standard library: dates, exact numbers, paths, views of dicts, typed arrays."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
from array import array
from typing import Any

from autograder.job.codec import KINDS, READERS, CodecError, Decoder, Encoder, Kind, plain


def _put_text_of(tag: bytes, name: str) -> Any:
    def put(out: Encoder, value: Any) -> None:
        text = str(value) if name in ("Decimal", "Path", "Fraction") else _date_text(value)
        out.tag(b"p" + tag)
        out.text(text)

    return put


def _date_text(value: Any) -> str:
    if type(value) is datetime.timedelta:
        return f"{value.days} {value.seconds} {value.microseconds}"
    zone = getattr(value, "tzinfo", None)
    if zone is not None and type(zone) is not datetime.timezone:
        raise CodecError(
            f"a time in the zone {zone!r} cannot be handed over; use datetime.timezone"
        )
    return str(value.isoformat())


def _timedelta(text: str) -> datetime.timedelta:
    days, seconds, micro = text.split(" ")
    return datetime.timedelta(int(days), int(seconds), int(micro))


def _fraction(text: str) -> fractions.Fraction:
    if len(text) > 10_000:
        raise CodecError("a fraction of more than 10,000 digits")
    over, _, under = text.partition("/")
    return fractions.Fraction(int(over), int(under or 1))


_TEXTS: dict[bytes, tuple[type, Any]] = {
    b"d": (datetime.date, datetime.date.fromisoformat),
    b"t": (datetime.time, datetime.time.fromisoformat),
    b"D": (datetime.datetime, datetime.datetime.fromisoformat),
    b"w": (datetime.timedelta, _timedelta),
    b"c": (decimal.Decimal, decimal.Decimal),
    b"r": (fractions.Fraction, _fraction),
    b"p": (type(pathlib.Path()), pathlib.Path),
}


def _get_text_of(source: Decoder) -> Any:
    row = _TEXTS.get(source.take(1))
    if row is None:
        raise CodecError("unknown kind of text")
    return row[1](source.text())


_VIEWS: dict[bytes, type] = {b"k": type({}.keys()), b"v": type({}.values()), b"i": type({}.items())}


def _put_view(tag: bytes) -> Any:
    def put(out: Encoder, value: Any) -> None:
        out.tag(b"V" + tag)
        out.items(value, len(value))

    return put


def _get_view(source: Decoder) -> Any:
    kind = source.take(1)
    items = source.items()
    if kind == b"k":
        return dict.fromkeys(items).keys()
    if kind == b"v":
        return dict(enumerate(items)).values()
    if kind != b"i":
        raise CodecError("no view of this kind")
    return dict(items).items()


def _put_stdlib_array(out: Encoder, value: Any) -> None:
    out.tag(b"A" + value.typecode.encode())
    out.raw(value.tobytes())


def _get_stdlib_array(source: Decoder) -> Any:
    code = source.take(1).decode("ascii", "replace")
    if code not in "bBhHiIlLqQfd":
        raise CodecError("no array of this type")
    data = source.raw()
    target = source.start(lambda: array(code))
    if target.typecode != code:
        raise CodecError("an array cannot become another type")
    del target[:]
    target.frombytes(data)
    return target


KINDS.update({kind: Kind(_put_text_of(tag, kind.__name__)) for tag, (kind, _) in _TEXTS.items()})
KINDS[type(pathlib.Path())] = Kind(_put_text_of(b"p", "Path"))
KINDS.update({kind: Kind(_put_view(tag)) for tag, kind in _VIEWS.items()})
KINDS[array] = Kind(_put_stdlib_array, shared=True)
READERS.update(
    {
        ord("p"): plain(_get_text_of),
        ord("V"): plain(_get_view),
        ord("A"): _get_stdlib_array,
    }
)
