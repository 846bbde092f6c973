"""Classes and exceptions, described so that the other side can make one that goes by the name."""

from __future__ import annotations

from typing import Any

from autograder.job import classes, containers, handles, operations
from autograder.job.classes import FACADES, is_own, library_class, make_class, plain_text
from autograder.job.codec import CodecError, Decoder, Encoder
from autograder.job.exceptions import (
    MAX_TEXT,
    allowed_exception,
    attributes_of,
    get_names,
    mirror_text,
    names_of,
    put_names,
    rebuild,
    safe_text,
)
from autograder.job.handles import HandleType
from autograder.job.shared import Table

_SHOWN = (dict, list, set, tuple, frozenset)  # what a student's class may say it is one of


class Described(Table):
    """Write and read classes, and what was raised."""

    def __init__(self, first: int, trusted: bool) -> None:
        super().__init__(first)
        self.trusted = trusted  # this side is: it may send pickles, and reads none
        self.space: dict[str, Any] = {}  # the names of this side's notebook

    def put_class(self, out: Encoder, kind: type) -> None:
        """Write a class as a class of ours, even if it is a library's."""
        number = self.numbers.get(id(kind))
        if number is None:
            self.write_class(out, kind)
        else:
            tag = b"Y" if self.entries[number].mine is False else b"u"
            out.out += tag + number.to_bytes(8, "little")

    def write_class(self, out: Encoder, kind: type) -> None:
        """Describe a class that the other side has not met."""
        number, _ = self.enter(kind, True)
        own = [base for base in type.__dict__["__bases__"].__get__(kind) if is_own(base)]
        library = [
            [
                (plain_text(part.__module__), plain_text(part.__qualname__))
                for part in base.__mro__[:-1]
            ]
            for base in ([kind] if not is_own(kind) else kind.__bases__)
            if not is_own(base) and base is not object
        ]
        out.tag(b"X" + number.to_bytes(8, "little"))
        for text in (kind.__name__, kind.__module__, kind.__qualname__):
            out.text(plain_text(text)[:200])
        out.text(plain_text(type.__getattribute__(kind, "__doc__"))[:MAX_TEXT])
        out.raw(bytes(operations.specials_of(kind)))
        out.out.append(classes.by_identity(kind))
        out.tag(b"", len(own) if is_own(kind) else 0)
        for base in own if is_own(kind) else ():
            self.put_class(out, base)
        out.tag(b"", len(library))
        for names in library:
            out.tag(b"", len(names))
            for module, qualname in names:
                out.text(module)
                out.text(qualname)

    def read_class(self, source: Decoder) -> Any:
        """Make a class that stands for the one described here."""
        number = source.int64()
        name, module, qualname = source.text(), source.text(), source.text()
        doc, specials, identity = source.text(), source.raw(), bool(source.byte())
        own = tuple(source.get() for _ in range(source.count()))
        library: list[type] = []
        facade = None
        for _ in range(source.count()):
            names = [(source.text(), source.text()) for _ in range(source.count())]
            facade = facade or FACADES.get(names[0]) if names else facade
            found = (library_class(*parts) for parts in names)
            library += [kind for kind in found if kind is not None and kind is not object][:1]
        if not all(isinstance(base, type) for base in own):
            raise CodecError("a class that inherits from no class")
        errors = [kind for kind in (*own, *library) if issubclass(kind, BaseException)]
        library = [kind for kind in library if kind.__module__ != "builtins" or kind in _SHOWN]
        facade = facade or next((kind for kind in library if not classes.can_inherit(kind)), None)
        made: type
        if errors:
            made = self._mirror(name, errors, doc)
        else:
            if not all(isinstance(base, HandleType) for base in own):
                raise CodecError("a class that inherits from no class of its side")
            list_ = operations.NAMES
            methods = [list_[i] for i in specials if i < len(list_)]
            helper = dict.get(self.space, name) if module == "__main__" else None
            if isinstance(helper, type) and not isinstance(helper, HandleType):
                facade = facade or (helper if helper.__module__ == "__main__" else None)
            if facade is not None and issubclass(facade, handles.value_types()):
                facade = None
            made = make_class(
                self, number, (name, module, qualname), doc, methods,
                own, library, identity, facade,
            )  # fmt: skip
        self.admit(number, made, False)
        return made

    def _mirror(self, name: str, bases: list[type], doc: str) -> type:
        """Make a local exception class for one of the other side."""
        parents = tuple(kind for kind in bases if allowed_exception(kind)) or (Exception,)
        space = {"__module__": "__main__", "__doc__": doc or None, "__str__": mirror_text}
        try:
            return type(name, parents, space)
        except TypeError:
            return type(name, parents[:1], space)

    def tuple_type(self, name: str, fields: tuple[str, ...], items: list[Any]) -> Any:
        """Return the notebook's own named tuple type, if there is one like this.

        A field that is called like a method of values and is one of the student's functions is
        asked for as such a method is.
        """
        kind = dict.get(self.space, name)
        own = isinstance(kind, type) and issubclass(kind, tuple)
        made = kind if own and getattr(kind, "_fields", None) == fields else None
        pairs = zip(fields, items, strict=True)
        asked = [field for field, item in pairs if handles.like_a_method(field, item)]
        if not self.trusted or not asked:
            return made
        made = made or containers.tuple_type(name, fields)
        space = {field: self._judged(field) for field in asked}
        return type(name, (made,), {"__slots__": (), **space})

    def _judged(self, field: str) -> property:
        def get(value: Any) -> Any:
            item = getattr(super(type(value), value), field)
            self.judge(field, item)
            return item

        return property(get)

    def judge(self, operation: str, value: Any) -> None:
        """Raise TypeError if an object of the student's must not be asked for this verdict."""

    def write_exception(self, out: Encoder, error: BaseException) -> None:
        """Write an exception: its class, its arguments, its text and its public attributes."""
        kind = type(error)
        number = self.numbers.get(id(kind))
        if number is not None or is_own(kind):
            out.tag(b"c")
            self.put_class(out, kind)
        else:
            out.tag(b"n")
            put_names(out, names_of(kind))
        args = BaseException.args.__get__(error)  # type: ignore[attr-defined]
        self._put_safely(out, tuple(args), tuple(safe_text(arg) for arg in args))
        out.text(safe_text(error))
        self._put_safely(out, attributes_of(error), {})
        cause = error.__cause__ if len(out.out) < MAX_TEXT else None
        out.out.append(cause is not None)
        if cause is not None:
            self.write_exception(out, cause)

    def _put_safely(self, out: Encoder, value: Any, instead: Any) -> None:
        before, depth, new = len(out.out), out.depth, len(self.new)
        try:
            out.put(value)
        except CodecError:
            for number in self.new[new:]:
                self.forget(number)
            del self.new[new:], out.out[before:]
            out.depth = depth
            out.put(instead)

    def read_exception(self, source: Decoder) -> BaseException:
        """Read an exception and build it from a class that exists here."""
        tag = source.take(1)
        known: list[type] = []
        if tag == b"c":
            known = [source.get()]
        elif tag == b"n":
            found = (library_class(*parts) for parts in get_names(source))
            known = [kind for kind in found if kind is not None and allowed_exception(kind)]
        args, text, attributes = source.get(), source.text(), source.get()
        cause = self.read_exception(source) if source.byte() else None
        if type(args) is not tuple or type(attributes) is not dict:
            raise CodecError("not an exception")
        if any(not isinstance(kind, type) for kind in known):
            raise CodecError("not an exception")
        for kind in known or [Exception]:
            if issubclass(kind, BaseException) and (
                kind.__module__ == "__main__" or allowed_exception(kind)
            ):
                made = rebuild(kind, args, text, attributes)
                if made is not None:
                    made.__cause__ = cause
                    return made
        return Exception(text)
