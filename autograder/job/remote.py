"""Calls between the checker and the student's process, over a socket that the student may abuse.

Both ends speak the same language (`codec`): a message is a request or the answer to one, and
carries what has changed in shared objects, the random states and what was printed. While a side
waits for an answer it serves requests, so that a student's function can call a function that a
test handed it. Bytes that make no sense end the conversation for good: `PeerError`.
"""

from __future__ import annotations

import builtins
import contextlib
import socket
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from autograder.job import crossing, exceptions
from autograder.job.ambient import Printed, Randomness, asks_anew, in_modes, modes
from autograder.job.codec import MAX_BYTES, CodecError, Decoder, Encoder, guarded
from autograder.job.gradients import Graph
from autograder.job.handles import find_sources
from autograder.job.names import Names
from autograder.job.operations import OPERATIONS
from autograder.job.policy import permit

_HEAD = struct.Struct("!I")
REQUEST, ANSWER, ERROR = b"?"[0], b"="[0], b"!"[0]
MAX_CALLS = 40  # calls of one side within calls of the other


class PeerError(BaseException):
    """The other process sent what makes no sense; nothing that it says is believed from here on.

    No Exception, so that a test which expects one does not take this for it.
    """


class DeadKernelError(BaseException):
    """The student's process is gone."""


class Peer(crossing.Crossing):
    """One end of the conversation."""

    def __init__(self, sock: socket.socket, trusted: bool) -> None:
        super().__init__(0 if trusted else 1, trusted)
        self.sock = sock
        self.dead: BaseException | None = None
        self.lock = threading.RLock()
        self.sequence = 0
        self.given_up: set[int] = set()
        self.calls = 0
        self.warned: list[tuple[type[Warning], str]] = []  # in the call that was answered last
        self.randomness = Randomness()
        self.asked: dict[str, Any] = {}  # names that the other side asked for: what it was told
        self.known: dict[str, Any] = {}  # names that we asked for
        self.granted: Collection[str] | None = ()  # what a student's object may judge; None: all
        self.judged: set[str] = set()

    def judge(self, operation: str, value: Any) -> None:
        """Raise TypeError if an object of the student's must not be asked for this verdict.

        It may be where the reference answer, too, gave an object that the test asked for it.
        """
        if not self.trusted:
            return
        if self.granted is None:
            self.judged.add(operation)
        elif operation not in self.granted:
            raise TypeError(
                f"a value is expected here, and this is a {type(value)._shown_} of the student's "
                f"code, whose {operation} proves nothing; compare values: an attribute, float(x), "
                "list(x), np.asarray(x)"
            )

    # ---- messages

    def _die(self, error: BaseException) -> BaseException:
        self.dead = self.dead or error
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        return self.dead

    def _alive(self) -> None:
        if self.dead is not None:
            raise type(self.dead)(*self.dead.args)

    def _send(self, kind: int, number: int, write: Callable[[Encoder], None]) -> None:
        out = Encoder(self)
        out.out += bytes(_HEAD.size) + bytes([kind]) + number.to_bytes(8, "little")
        try:
            self.write_changes(out)
            out.link = None  # the random states are values, not objects that both sides hold
            out.put(self.randomness.moved() or None)
            outdated = self.outdated()
            out.put(outdated or None)
            out.link = self
            write(out)
            if len(out.out) > MAX_BYTES + _HEAD.size:
                raise CodecError(f"more than {MAX_BYTES >> 20} MiB at once")
        except RecursionError:
            self.undo()
            raise CodecError("nested too deeply to be handed over") from None
        except BaseException:
            self.undo()
            raise
        try:
            self.settle()
            for name in outdated:
                del self.asked[name]
            _HEAD.pack_into(out.out, 0, len(out.out) - _HEAD.size)
            self.sock.sendall(out.out)
        except OSError:
            raise self._die(DeadKernelError("the student's process has died")) from None
        except BaseException as error:
            self._die(PeerError(f"interrupted ({type(error).__name__}) in a message"))
            raise

    def outdated(self) -> list[str]:
        """List the names that mean something else than what the other side was told."""
        none, asked = object(), self.asked
        return [name for name in asked if self.space.get(name, none) is not asked[name]]

    def _receive(self) -> tuple[int, int, Decoder]:
        """Wait for a message and read its head; OSError at its end."""
        try:
            head = self.sock.recv(4, socket.MSG_PEEK)  # may be interrupted: nothing is taken yet
        except OSError:
            raise self._die(DeadKernelError("the student's process has died")) from None
        try:
            taken = len(head) == 4
            size = _HEAD.unpack(head if taken else self._exactly(4))[0]
            if size > MAX_BYTES or size < 9:
                raise PeerError(f"a message of {size:,} bytes was announced")
            source = Decoder(self._exactly(size + 4 * taken), self)
            source.at = 4 * taken
            kind, number = source.byte(), source.int64()
            if kind not in (REQUEST, ANSWER, ERROR):
                raise PeerError("a message of no known kind came")
            guarded(lambda: self._read_head(source))
            return kind, number, source
        except CodecError as error:
            raise self._die(PeerError(str(error))) from None
        except BaseException as error:
            self._die(error if isinstance(error, (PeerError, DeadKernelError)) else
                      PeerError(f"interrupted ({type(error).__name__}) in a message"))  # fmt: skip
            raise

    def _read_head(self, source: Decoder) -> None:
        self.read_changes(source)
        source.link = None
        states, outdated = source.get(), source.get()
        source.link = self
        if states is not None:
            self.randomness.follow(states)
        for name in outdated if type(outdated) is list else ():
            self.known.pop(name, None) if type(name) is str else None

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            try:
                part = self.sock.recv(min(size, 1 << 20))
            except OSError:
                part = b""
            if not part:
                raise DeadKernelError("the student's process has died")
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _finish(self, source: Decoder, read: Callable[[Decoder], Any]) -> Any:
        """Read the rest of a message."""
        try:
            value = guarded(lambda: read(source))
            if source.at != len(source.data):
                raise CodecError("bytes are left over")
            guarded(self.settle)
            return value
        except CodecError as error:
            raise self._die(PeerError(str(error))) from None
        except BaseException as error:
            self._die(PeerError(f"interrupted ({type(error).__name__}) in a message"))
            raise

    # ---- asking

    def request(self, operation: str, /, *args: Any, **kwargs: Any) -> Any:
        """Ask the other side to do something; returns its value or raises its exception."""
        with self.lock:  # a test may have threads
            return self._request(operation, args, kwargs)

    def _request(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._alive()
        if not self.trusted and not self.calls:  # nobody over there listens now
            raise RuntimeError("this is a test's object, and its test is over")

        def write(out: Encoder) -> None:
            out.text(operation)
            out.link = None
            out.put(modes())
            out.link = self
            out.items(args, len(args))
            out.tag(b"", len(kwargs))
            for key, value in kwargs.items():
                out.text(key)
                out.put(value)

        if not self.calls:
            self.told.clear()
        self.sequence += 1
        number = self.sequence
        try:
            self._send(REQUEST, number, write)
        except CodecError as error:
            raise TypeError(f"an argument cannot be handed to the other side: {error}") from None
        try:
            kind, value = self._answer(number)
        except KeyboardInterrupt:  # ours: the other side's own come as an answer
            if self.dead is None:
                self.given_up.add(number)
            raise
        for category, text in self.warned:
            warnings.warn(text, category, stacklevel=4)
        if kind == ERROR:
            raise value
        return value

    def _answer(self, number: int) -> tuple[int, Any]:
        while True:
            kind, got, source = self._receive()
            if kind == REQUEST:
                self._serve(got, source)
                continue
            read = self._read_value if kind == ANSWER else self._read_error
            value = self._finish(source, read)
            if got in self.given_up:
                self.given_up.discard(got)
            elif got != number:
                raise self._die(PeerError("an answer came that nobody asked for"))
            else:
                return kind, value

    def _read_value(self, source: Decoder) -> Any:
        self._read_notes(source)
        return source.get()

    def _read_error(self, source: Decoder) -> BaseException:
        self._read_notes(source)
        return self.read_exception(source)

    def _read_notes(self, source: Decoder) -> None:
        self.show(source.text(), source.text())
        self.warned = [
            (exceptions.get_warning(source), source.text()) for _ in range(source.count())
        ]

    def show(self, out: str, err: str) -> None:
        """Print what the other side printed during a call."""
        if out:
            sys.stdout.write(out)
        if err:
            sys.stderr.write(err)

    # ---- answering

    def _read_request(self, source: Decoder) -> tuple[str, Any, list[Any], dict[str, Any]]:
        operation = source.text()
        source.link = None
        mode = source.get()
        source.link = self
        if mode is not None and (self.trusted or type(mode) is not dict):
            mode = None  # the student's code sets no mode here
        args = source.items()
        if operation not in OPERATIONS and operation not in self.own:
            raise CodecError("no such operation")
        return operation, mode, args, {source.text(): source.get() for _ in range(source.count())}

    own: Mapping[str, Callable[..., Any]] = {}  # operations of this side only

    def _serve(self, number: int, source: Decoder) -> None:
        """Do what the other side asks, and answer."""
        operation, mode, args, kwargs = self._finish(source, self._read_request)
        printed, warned = self.capture(), list[Any]()
        kind, value = ANSWER, None
        self.calls += 1
        try:
            if self.calls > MAX_CALLS:
                raise RecursionError(f"more than {MAX_CALLS} calls to and fro within each other")
            if self.trusted and self.given_up:
                raise KeyboardInterrupt("the call was given up")
            if self.trusted and operation != "input":
                self._check_target(args)
                if operation not in self.own:
                    permit(operation, args)
            with in_modes(mode, self._ask) as warned:
                value = (self.own.get(operation) or OPERATIONS[operation])(*args, **kwargs)
        except (PeerError, DeadKernelError):
            raise
        except BaseException as error:
            kind, value = ERROR, error
        finally:
            self.calls -= 1
            texts = self.release(printed)
            notes = [] if mode is None else [exceptions.warning_names(note) for note in warned]
        args, kwargs = [], {}
        try:
            self._reply(kind, number, value, texts, notes)
        except (CodecError, KeyboardInterrupt) as error:
            reason = f"what came out cannot be handed over: {error}"
            shown = TypeError(reason) if isinstance(error, CodecError) else error
            self._reply(ERROR, number, shown, texts, notes)

    def _ask(self, prompt: object = "") -> str:
        return str(self.request("input", str(prompt)))

    def _check_target(self, args: list[Any]) -> None:
        """Refuse to work on anything but an object that was handed over as a stand-in."""
        entry = self.entries.get(self.numbers.get(id(args[0]), -1)) if args else None
        if entry is None or entry.mine is not True or entry.copied:
            raise TypeError("this is no object of the test's")

    def _reply(
        self, kind: int, number: int, value: Any, texts: tuple[str, str], notes: list[Any]
    ) -> None:
        def write(out: Encoder) -> None:
            out.text(texts[0])
            out.text(texts[1])
            out.tag(b"", len(notes))
            for category, text in notes:
                exceptions.put_names(out, category)
                out.text(text)
            if kind == ANSWER:
                out.put(value)
            else:
                self.write_exception(out, value)

        self.answering = True
        try:
            self._send(kind, number, write)
        finally:
            self.answering = False

    def capture(self) -> Any:
        """Begin to keep what is printed."""
        return None

    def release(self, token: Any) -> tuple[str, str]:
        """Return what was printed since `capture`."""
        return "", ""


def _await(coroutine: Any) -> Any:
    import asyncio

    async def wait() -> Any:
        return await coroutine

    return asyncio.run(wait())


class Student(Peer):
    """The end in the student's process: answers the checker."""

    def __init__(self, sock: socket.socket, namespace: dict[str, Any]) -> None:
        super().__init__(sock, trusted=False)
        self.space = namespace
        self.own = {
            "name": self._name,
            "named": self._named,
            "backward": Graph.backward,
            "await": _await,
        }

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.sock.fileno()

    def serve_one(self) -> bool:
        """Read one request and answer it; returns False when the checker is gone."""
        try:
            kind, number, source = self._receive()
            if kind != REQUEST:
                self._finish(source, self._read_value if kind == ANSWER else self._read_error)
                return True  # the answer to a call that was interrupted here
            self._serve(number, source)
        except (PeerError, DeadKernelError):
            return False
        return True

    def _name(self, name: str) -> Any:
        if name not in self.space:
            return None
        self.asked[name] = self.space[name]
        return (self.space[name],)

    def _named(self, name: str) -> bool:
        return name in self.space

    def capture(self) -> Any:
        """Keep what the student's code prints during a call: it belongs to the test's output."""
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = Printed(), Printed()
        return before, sys.stdout, sys.stderr

    def release(self, token: Any) -> tuple[str, str]:
        """Return what was printed, and print to the cell again."""
        before, out, err = token
        sys.stdout, sys.stderr = before
        return out.take(), err.take()


def _input(prompt: object = "") -> str:
    if type(prompt) is not str or not asks_anew():
        raise EOFError("input() has nobody to ask here")
    return builtins.input(prompt)


def _backward(graph: Any, *args: Any) -> Any:
    if type(graph) is not Graph:
        raise TypeError("this is no graph")
    return graph.backward(*args)


class Checker(Peer):
    """The end in the checker's process: runs the tests."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, trusted=True)
        self.own = {"input": _input, "backward": _backward}
        find_sources()

    def names(self, imports: Mapping[str, str]) -> Names:
        """Return the globals for test cells."""
        names = Names(self, imports)
        self.space = names
        return names
