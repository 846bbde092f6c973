"""What goes over beside plain values: stand-ins for objects and classes, exceptions, pickles."""

from __future__ import annotations

import io
import types
from collections.abc import Callable, Iterator
from typing import Any

from autograder.job import (
    generators,
    gradients,
    handles,
    library,
    named,
    tables,
    tensors,
    values,
    views,
)
from autograder.job.codec import CodecError, Decoder, Encoder
from autograder.job.described import Described
from autograder.job.handles import HandleType
from autograder.job.pickles import Pickler, Unpickler, kept_here, stays


class Crossing(Described):
    """Write and read what is no plain value."""

    def __init__(self, first: int, trusted: bool) -> None:
        super().__init__(first, trusted)
        self.readers: dict[int, Callable[[Decoder], Any]] = {
            ord("R"): self._read_reference,
            ord("S"): self.read_twin,
            ord("Y"): self._read_mine,
            ord("u"): lambda source: self.of(source.int64(), False),
            ord("X"): self.read_class,
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
        if new and not done and not self.trusted and self.answering:
            window = views.find(value, self._settled())
            if window is not None:
                views.put(out, window)
                return True, None
        return done, entry

    def _settled(self) -> Iterator[tuple[int, Any]]:
        """Yield the twins that both sides hold by now, with their numbers."""
        new = set(self.new)
        for number, entry in self.entries.items():
            if entry.mine is None and number not in new:
                yield number, entry.value

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
            self.write_class(out, value)
        elif self.trusted and self._pickled(out, value):
            return
        else:
            number, _ = self.enter(value, True)
            out.tag(b"M" + number.to_bytes(8, "little"))
            self.put_class(out, kind)

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

    def _read_pickle(self, source: Decoder) -> Any:
        """Rebuild a library's object; only the student's side reads such, from the trusted one."""
        number = source.int64()
        extras = source.items()
        value = Unpickler(io.BytesIO(source.raw()), extras).load()
        self.admit(number, value, False)
        return value

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


async def _elsewhere(link: Any, coroutine: Any) -> Any:
    return link.request("await", coroutine)


KINDS_FROM = (values, library, tensors, generators, tables)  # modules that enter what they know
