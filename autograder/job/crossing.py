"""What goes over beside plain values: stand-ins for objects and classes, exceptions, pickles."""

from __future__ import annotations

import io
import types
from collections.abc import Callable
from typing import Any

from autograder.job import (
    generators,
    gradients,
    handles,
    library,
    named,
    operations,
    tables,
    tensors,
    values,
)
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
from autograder.job.handles import (
    FACADES,
    HandleType,
    is_own,
    library_class,
    make_class,
    plain_text,
)
from autograder.job.pickles import Pickler, Unpickler, kept_here, stays
from autograder.job.shared import Table

_SHOWN = (dict, list, set, tuple, frozenset)  # what a student's class may say it is one of


class Crossing(Table):
    """Write and read what is no plain value."""

    def __init__(self, first: int, trusted: bool) -> None:
        super().__init__(first)
        self.trusted = trusted  # this side is: it may send pickles, and reads none
        self.space: dict[str, Any] = {}
        self.readers: dict[int, Callable[[Decoder], Any]] = {
            ord("R"): self._read_reference,
            ord("S"): self.read_twin,
            ord("Y"): self._read_mine,
            ord("u"): lambda source: self.of(source.int64(), False),
            ord("X"): self._read_class,
            ord("M"): self._read_object,
            ord("D"): self._read_named,
            ord("E"): self.read_exception,
            ord("J"): self._read_graph,
        }
        self.answering = False  # what is written is what a call has given
        self.hanging: Any = None  # the graph of the tensor that is read next
        self.told: set[int] = set()  # twins that the call that is being made was given
        self.behind: dict[int, set[int]] = {}  # a result's number -> those that were told for it
        if not trusted:
            self.readers[ord("P")] = self._read_pickle

    def get_other(self, source: Decoder, tag: int) -> Any:
        """Read what `share` and `put_other` write."""
        read = self.readers.get(tag)
        if read is None:
            raise CodecError(f"tag {tag} is unknown")
        if tag != ord("R") and tag != ord("S"):
            source.plain()
            source.marks += 1
        return read(source)

    def _read_reference(self, source: Decoder) -> Any:
        source.plain()
        return self.of(source.int64(), None)

    def _read_mine(self, source: Decoder) -> Any:
        return self.of(source.int64(), True)

    def _read_graph(self, source: Decoder) -> Any:
        graph = source.get()
        if self.hanging is not None or type(type(graph)) is not HandleType:
            raise CodecError("a graph of no tensor")
        self.hanging = graph
        value = source.get()
        if self.hanging is not None:
            raise CodecError("a graph of no tensor")
        return value

    # ---- writing

    def share(self, out: Encoder, value: Any) -> tuple[bool, Any]:
        """Write a reference to a known twin, or begin a new one; a tensor's graph stays here."""
        new = (self.answering or not self.trusted) and not self.looking
        new = new and id(value) not in self.numbers
        if new and gradients.has_graph(value):
            inputs = gradients.needing(entry.value for entry in self.entries.values())
            out.tag(b"J")
            self.put_other(out, gradients.Graph(value, inputs))
        done, entry = super().share(out, value)
        if not self.looking and id(value) in self.numbers:
            number = self.numbers[id(value)]
            self.told |= {number} | self.behind.get(number, set())
        return done, entry

    def put_other(self, out: Encoder, value: Any) -> None:
        """Write what is no plain value: by name, by number, as a pickle or as an object of ours."""
        number = self.numbers.get(id(value))
        if number is not None:
            entry = self.entries[number]
            tag = b"Y" if entry.mine is False else b"u" if entry.mine else b"R"
            out.out += tag + number.to_bytes(8, "little")
            out.marks += 0
            return
        if self.looking:
            out.out += b"?" + id(value).to_bytes(8, "little")
            return
        out.marks += 1
        name = named.name_of(value)
        kind = type(value)
        if name is not None:
            out.tag(b"D")
            out.text(name[0])
            out.text(name[1])
        elif isinstance(kind, HandleType) or isinstance(value, HandleType):
            raise CodecError("a stand-in that the other side has forgotten")
        elif issubclass(kind, BaseException):
            out.tag(b"E")
            self.write_exception(out, value)
        elif issubclass(kind, type):
            if self.trusted and value.__module__ != "__main__" and self._pickled(out, value):
                return
            self._write_class(out, value)
        elif self.trusted and self._pickled(out, value):
            return
        else:
            number, _ = self.enter(value, True)
            out.tag(b"M" + number.to_bytes(8, "little"))
            self._put_class(out, kind)

    def _put_class(self, out: Encoder, kind: type) -> None:
        """Write a class as a class of ours, even if it is a library's."""
        number = self.numbers.get(id(kind))
        if number is None:
            self._write_class(out, kind)
        else:
            tag = b"Y" if self.entries[number].mine is False else b"u"
            out.out += tag + number.to_bytes(8, "little")

    def _write_class(self, out: Encoder, kind: type) -> None:
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
        out.out.append(handles.by_identity(kind))
        out.tag(b"", len(own) if is_own(kind) else 0)
        for base in own if is_own(kind) else ():
            self._put_class(out, base)
        out.tag(b"", len(library))
        for names in library:
            out.tag(b"", len(names))
            for module, qualname in names:
                out.text(module)
                out.text(qualname)

    def _pickled(self, out: Encoder, value: Any) -> bool:
        """Write a library's object as a pickle, if it is one that can be copied."""
        if stays(value):
            return False
        extras: list[Any] = []
        if kept_here(value):
            raise CodecError(
                f"a {type(value).__name__} works in its own process alone, and over there would be "
                "a copy; let the student's function make it, or hand over a function that uses it"
            )
        file = io.BytesIO()
        try:
            Pickler(file, value, extras).dump(value)
        except Exception:
            return False
        number, entry = self.enter(value, True)
        entry.copied = True
        out.tag(b"P" + number.to_bytes(8, "little"))
        out.items(extras, len(extras))
        out.raw(file.getvalue())
        return True

    # ---- reading

    def _read_named(self, source: Decoder) -> Any:
        module, name = source.text(), source.text()
        try:
            return named.by_name(module, name)
        except KeyError:
            raise CodecError(f"{module[:50]}.{name[:50]} may not go over") from None

    def _read_object(self, source: Decoder) -> Any:
        number = source.int64()
        kind = source.get()
        if not isinstance(kind, HandleType):
            raise CodecError("an object of no class")
        value = handles.make_handle(kind, number)
        self.admit(number, value, False)
        if kind._facade_ is types.CoroutineType:  # a real one, for asyncio to run
            return _elsewhere(self, value)
        return value

    def _read_class(self, source: Decoder) -> Any:
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
        facade = facade or next((kind for kind in library if not handles.can_inherit(kind)), None)
        if facade is not None and issubclass(facade, handles.value_types()):
            facade = None
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
                facade = facade or helper
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

    def _read_pickle(self, source: Decoder) -> Any:
        """Rebuild a library's object; only the student's side reads such, from the trusted one."""
        number = source.int64()
        extras = source.items()
        value = Unpickler(io.BytesIO(source.raw()), extras).load()
        self.admit(number, value, False)
        return value

    def tuple_type(self, name: str, fields: tuple[str, ...]) -> Any:
        """Return the notebook's own named tuple type, if there is one like this."""
        kind = dict.get(self.space, name)
        if isinstance(kind, type) and issubclass(kind, tuple):
            return kind if getattr(kind, "_fields", None) == fields else None
        return None

    def graph(self, number: int | None, value: Any) -> Any:
        """Hang a tensor that the other side computed on its graph, which is over there."""
        graph, self.hanging = self.hanging, None
        if graph is None:
            return value.requires_grad_()
        inputs, made = [], set()  # made by the test from others, so part of a graph that is here
        for n, entry in self.entries.items():
            if entry.mine is None and gradients.needing([entry.value]):
                if n in self.told and n % 2 == self.parity and not entry.value.is_leaf:
                    made.add(n)
                if n in made or entry.value.is_leaf:
                    inputs.append(entry.value)
        if number is not None and made:
            self.behind = {n: told for n, told in self.behind.items() if n in self.entries}
            self.behind[number] = made
        return gradients.hang(self, graph, value, inputs)

    # ---- exceptions

    def write_exception(self, out: Encoder, error: BaseException) -> None:
        """Write an exception: its class, its arguments, its text and its public attributes."""
        kind = type(error)
        number = self.numbers.get(id(kind))
        if number is not None or is_own(kind):
            out.tag(b"c")
            self._put_class(out, kind)
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


async def _elsewhere(link: Any, coroutine: Any) -> Any:
    return link.request("await", coroutine)


KINDS_FROM = (values, library, tensors, generators, tables)  # modules that enter what they know
