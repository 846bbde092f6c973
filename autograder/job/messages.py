"""Messages between the checker and the student's process, over a socket that the student may abuse.

A message is a request or the answer to one, and carries what has changed in shared objects, the
random states and which names mean something else by now. Bytes that make no sense end the
conversation for good: `PeerError`.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

from autograder.job.ambient import Randomness
from autograder.job.codec import MAX_BYTES, CodecError, Decoder, Encoder, guarded
from autograder.job.crossing import Crossing

_HEAD = struct.Struct("!I")
REQUEST, ANSWER, ERROR = b"?"[0], b"="[0], b"!"[0]


class PeerError(BaseException):
    """The other process sent what makes no sense; nothing that it says is believed from here on.

    No Exception, so that a test which expects one does not take this for it.
    """


class DeadKernelError(BaseException):
    """The student's process is gone."""


class Wire(Crossing):
    """One end of the socket: whole messages out, and whole messages in."""

    def __init__(self, sock: socket.socket, trusted: bool) -> None:
        super().__init__(0 if trusted else 1, trusted)
        self.sock = sock
        self.dead: BaseException | None = None
        self.randomness = Randomness()
        self.asked: dict[str, Any] = {}  # names that the other side asked for: what it was told
        self.known: dict[str, Any] = {}  # names that we asked for

    def die(self, error: BaseException) -> BaseException:
        """End the conversation for good; returns what to raise, the first reason there was."""
        self.dead = self.dead or error
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        return self.dead

    def alive(self) -> None:
        """Raise again what has ended the conversation."""
        if self.dead is not None:
            raise type(self.dead)(*self.dead.args)

    def send(self, kind: int, number: int, write: Callable[[Encoder], None]) -> None:
        """Send a message, whose own part `write` writes."""
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
            raise self.die(DeadKernelError("the student's process has died")) from None
        except BaseException as error:
            self.die(PeerError(f"interrupted ({type(error).__name__}) in a message"))
            raise

    def outdated(self) -> list[str]:
        """List the names that mean something else than what the other side was told."""
        none, asked = object(), self.asked
        return [name for name in asked if self.space.get(name, none) is not asked[name]]

    def receive(self) -> tuple[int, int, Decoder]:
        """Wait for a message and read its head."""
        try:
            head = self.sock.recv(4, socket.MSG_PEEK)  # may be interrupted: nothing is taken yet
        except OSError:
            raise self.die(DeadKernelError("the student's process has died")) from None
        try:
            taken = len(head) == 4
            size = _HEAD.unpack(head if taken else self._exactly(4))[0]
            if size > MAX_BYTES or size < 9:
                raise PeerError(f"a message of {size:,} bytes was announced")
            source = Decoder(self._exactly(size + 4 * taken), self)
            source.at = 4 * taken
            kind, number = source.byte(), source.int64()
            if kind not in (REQUEST, ANSWER, ERROR) or number < 0:
                raise PeerError("a message of no known kind came")
            guarded(lambda: self._read_head(source))
            return kind, number, source
        except CodecError as error:
            raise self.die(PeerError(str(error))) from None
        except BaseException as error:
            self.die(error if isinstance(error, (PeerError, DeadKernelError)) else
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

    def finish(self, source: Decoder, read: Callable[[Decoder], Any]) -> Any:
        """Read the rest of a message."""
        try:
            value = guarded(lambda: read(source))
            if source.at != len(source.data):
                raise CodecError("bytes are left over")
            guarded(self.settle)
            return value
        except CodecError as error:
            raise self.die(PeerError(str(error))) from None
        except BaseException as error:
            self.die(PeerError(f"interrupted ({type(error).__name__}) in a message"))
            raise
