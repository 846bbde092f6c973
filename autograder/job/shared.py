"""Objects that two processes hold at once, by number, kept in step at each message.

A list, an array or a tensor that went over is a twin: each side has one, and before a message is
sent the sender looks which of its twins have changed since the last message and sends those. So
arguments that a call changed come back changed, and what came back is still the same object. What
only one side still refers to is forgotten.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from autograder.job.codec import CodecError, Decoder, Encoder, Link, kind_of

MAX_TWINS = 2000  # kept in step between two messages; older ones become copies
MAX_ENTRIES = 300_000
ALONE = sys.getrefcount(object()) + 1  # of an object that only its entry refers to, as asked below


class Entry:
    """One object that the other side knows by number."""

    __slots__ = ("copied", "digest", "mine", "value")

    def __init__(self, value: Any, mine: bool | None) -> None:
        self.value = value
        self.mine = mine  # None: a twin; True: ours, they hold a stand-in; False: a stand-in
        self.copied = False  # the other side has a copy to work on, not a stand-in
        self.digest: int | None = None  # of the twin's content at the last message


class Table:
    """The objects that both sides know; a `codec.Link` but for what is no plain value."""

    def __init__(self, first: int) -> None:
        self.entries: dict[int, Entry] = {}
        self.numbers: dict[int, int] = {}  # id of an object here -> its number
        self.parity = first % 2
        self.next = first
        self.new: list[int] = []  # entered by the message being written or read
        self.unsettled: list[Entry] = []  # changed by the message being written or read
        self.let_go: list[tuple[int, Entry]] = []  # forgotten by the message being written
        self.looking = False  # only looking at content: enter nothing

    # ---- entries

    def enter(self, value: Any, mine: bool | None) -> tuple[int, Entry]:
        """Number an object of this side."""
        if len(self.entries) >= MAX_ENTRIES:
            raise CodecError("too many objects are shared")
        number = self.next
        self.next += 2
        self.new.append(number)
        entry = self.entries[number] = Entry(value, mine)
        self.numbers[id(value)] = number
        return number, entry

    def admit(self, number: int, value: Any, mine: bool | None) -> Entry:
        """Enter an object that the other side has numbered."""
        self.check_new(number)
        self.new.append(number)
        entry = self.entries[number] = Entry(value, mine)
        self.numbers[id(value)] = number
        return entry

    def check_new(self, number: int) -> None:
        """Refuse a number that the other side may not give."""
        if number % 2 == self.parity or number < 0 or number in self.entries:
            raise CodecError(f"object number {number} is not free")
        if len(self.entries) >= MAX_ENTRIES:
            raise CodecError("too many objects are shared")

    def forget(self, number: int) -> None:
        """Remove an object that the other side has let go."""
        entry = self.entries.pop(number, None)
        if entry is not None and self.numbers.get(id(entry.value)) == number:
            del self.numbers[id(entry.value)]

    def of(self, number: int, mine: bool | None) -> Any:
        """Return an object by number; it must be of that kind."""
        entry = self.entries.get(number)
        if entry is None or entry.mine is not mine:
            raise CodecError(f"object number {number} is unknown")
        return entry.value

    # ---- the codec's questions

    def share(self, out: Encoder, value: Any) -> tuple[bool, Any]:
        """Write a reference to a known twin, or begin a new one."""
        number = self.numbers.get(id(value))
        if number is not None:
            out.out += b"R" + number.to_bytes(8, "little")
            return True, None
        if self.looking:
            out.out += b"?" + id(value).to_bytes(8, "little")
            return True, None
        if len(self.entries) >= MAX_ENTRIES // 2:
            return False, None
        number, entry = self.enter(value, None)
        out.out += b"S" + number.to_bytes(8, "little")
        return False, entry

    def born(self, number: int, value: Any) -> None:
        """Enter a twin whose content is being read."""
        self.admit(number, value, None)

    def read_twin(self, source: Decoder) -> Any:
        """Read a new twin."""
        source.plain()
        number = source.int64()
        self.check_new(number)
        source.number, start, marks = number, source.at, source.marks
        value = source.get()
        if source.number is not None or number not in self.entries:
            raise CodecError("a plain value cannot be shared")
        if source.marks == marks:
            self.entries[number].digest = hash(source.data[start : source.at])
        source.marks += 1
        return value

    # ---- keeping in step

    def digest(self, value: Any) -> int:
        """Return a digest of a twin's own content; twins inside it count by their numbers."""
        kind = kind_of(value)
        out = Encoder(cast(Link, self), limit=1 << 40)
        self.looking = True
        try:
            if kind is not None:
                kind.write(out, value)
        except CodecError:
            return -1
        finally:
            self.looking = False
        return hash(bytes(out.out))

    def write_changes(self, out: Encoder) -> None:
        """Write the new content of what has changed, then which objects to forget."""
        changed: list[tuple[int, Entry]] = []
        twins: list[int] = []
        alone: list[int] = []
        for number, entry in self.entries.items():
            if entry.mine:
                continue
            if sys.getrefcount(entry.value) <= ALONE:
                alone.append(number)
            elif entry.mine is None:
                twins.append(number)
            if entry.mine is None and self.digest(entry.value) != entry.digest:
                changed.append((number, entry))
        if len(twins) > MAX_TWINS:
            alone += twins[: -MAX_TWINS // 2]
        out.tag(b"", len(changed))
        for number, entry in changed:
            kind = kind_of(entry.value)
            assert kind is not None
            out.out += number.to_bytes(8, "little")
            out.body(kind, entry.value)
            self.unsettled.append(entry)
        out.tag(b"", len(alone))
        for number in alone:
            out.out += number.to_bytes(8, "little")
            self.let_go.append((number, self.entries[number]))
            self.forget(number)

    def read_changes(self, source: Decoder) -> None:
        """Read what `write_changes` writes."""
        for _ in range(source.count()):
            number = source.int64()
            value = self.of(number, None)
            source.into = value
            if source.get() is not value or source.into is not None:
                raise CodecError("a shared object cannot become another one")
            self.unsettled.append(self.entries[number])
        for _ in range(source.count()):
            self.forget(source.int64())

    def settle(self) -> None:
        """Remember what both sides know now that a message has been written or read."""
        for number in self.new:
            entry = self.entries.get(number)
            if entry is not None and entry.mine is None and entry.digest is None:
                entry.digest = self.digest(entry.value)
        for entry in self.unsettled:
            entry.digest = self.digest(entry.value)
        self._end_message()

    def undo(self) -> None:
        """Take back what a message entered and let go that could not be written."""
        for number in self.new:
            self.forget(number)
        for number, entry in self.let_go:
            self.entries[number] = entry
            self.numbers[id(entry.value)] = number
        self._end_message()

    def _end_message(self) -> None:
        self.new.clear()
        self.unsettled.clear()
        self.let_go.clear()
