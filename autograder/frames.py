"""Messages between the coordinator and its processes: a length, then JSON.

The other end of such a socket may be a student's code. So nothing is read beyond a cap, and
whatever cannot be read is a FrameError, never anything else.
"""

import json
import socket
import struct
from typing import Any

LENGTH = struct.Struct("!I")
MOST_BYTES = 32 * 2**20


class FrameError(Exception):
    """What came is no message: the other end is gone, broken or hostile."""


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """Send one message; OSError if the other end is gone."""
    body = json.dumps(message).encode()
    sock.sendall(LENGTH.pack(len(body)) + body)


def receive(sock: socket.socket, most_bytes: int = MOST_BYTES) -> dict[str, Any] | None:
    """Wait for one message and return it; None when the other end has closed."""
    head = _exactly(sock, LENGTH.size)
    if head is None:
        return None
    (size,) = LENGTH.unpack(head)
    if size > most_bytes:
        raise FrameError(f"a message of {size / 2**20:.0f} MiB; at most {most_bytes // 2**20}")
    body = _exactly(sock, size)
    if body is None:
        raise FrameError("the message ends in the middle")
    return parse(body)


def parse(body: bytes) -> dict[str, Any]:
    """Read one message."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not a message: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise FrameError("not a message: no object")
    return message


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(min(size - len(parts), 2**20))
        if not part:
            return None
        parts += part
    return bytes(parts)
