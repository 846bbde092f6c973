"""Calls between the checker and the student's process.

Both ends speak the same language (`codec`). While a side waits for an answer it serves requests, so
that a student's function can call a function that a test handed it.
"""

from __future__ import annotations

import socket
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

from autograder.job import exceptions
from autograder.job.ambient import in_modes, modes
from autograder.job.codec import CodecError, Decoder, Encoder
from autograder.job.handles import HandleType
from autograder.job.messages import ANSWER, ERROR, REQUEST, DeadKernelError, PeerError, Wire
from autograder.job.operations import OPERATIONS
from autograder.job.policy import permit

MAX_CALLS = 40  # calls of one side within calls of the other


class Peer(Wire):
    """One end of the conversation."""

    def __init__(self, sock: socket.socket, trusted: bool) -> None:
        super().__init__(sock, trusted)
        self.lock = threading.RLock()
        self.sequence = 0
        self.given_up: set[int] = set()
        self.calls = 0
        self.warned: list[tuple[type[Warning], str]] = []  # in the call that was answered last
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
            shown = (value if isinstance(value, HandleType) else type(value))._shown_
            raise TypeError(
                f"a value is expected here, and this is a {shown} of the student's "
                f"code, whose {operation} proves nothing; compare values: an attribute, float(x), "
                "list(x), np.asarray(x)"
            )

    # ---- asking

    def request(self, operation: str, /, *args: Any, **kwargs: Any) -> Any:
        """Ask the other side to do something; returns its value or raises its exception."""
        with self.lock:  # a test may have threads
            return self._request(operation, args, kwargs)

    def _request(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.alive()
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
            self.send(REQUEST, number, write)
        except CodecError as error:
            raise TypeError(f"an argument cannot be handed to the other side: {error}") from None
        try:
            kind, value = self.answer(number)
        except KeyboardInterrupt:  # ours: the other side's own come as an answer
            if self.dead is None:
                self.given_up.add(number)
            raise
        for category, text in self.warned:
            warnings.warn(text, category, stacklevel=4)
        if kind == ERROR:
            raise value
        return value

    def answer(self, number: int) -> tuple[int, Any]:
        """Wait for the answer to a request, and serve requests meanwhile."""
        while True:
            kind, got, source = self.receive()
            if kind == REQUEST:
                self.serve(got, source)
                continue
            read = self.read_value if kind == ANSWER else self.read_error
            value = self.finish(source, read)
            if got in self.given_up:
                self.given_up.discard(got)
            elif got != number:
                raise self.die(PeerError("an answer came that nobody asked for"))
            else:
                return kind, value

    def read_value(self, source: Decoder) -> Any:
        """Read what a call gave."""
        self._read_notes(source)
        return source.get()

    def read_error(self, source: Decoder) -> BaseException:
        """Read what a call raised."""
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

    def serve(self, number: int, source: Decoder) -> None:
        """Do what the other side asks, and answer."""
        operation, mode, args, kwargs = self.finish(source, self._read_request)
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
            self.send(kind, number, write)
        finally:
            self.answering = False

    def capture(self) -> Any:
        """Begin to keep what is printed."""
        return None

    def release(self, token: Any) -> tuple[str, str]:
        """Return what was printed since `capture`."""
        return "", ""
