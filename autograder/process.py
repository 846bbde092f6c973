"""One job as the coordinator sees it: a socket to a process that may do anything."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

from autograder import watch
from autograder.frames import LENGTH, MOST_BYTES, FrameError, parse

SEND_S = 30.0  # a job that does not read its requests for so long is as good as dead
END_S = 10.0


class Gone(Exception):
    """The job has ended or broken the protocol; nothing more can be had from it."""


class Process:
    """A student or a checker."""

    def __init__(
        self,
        name: str,
        control: socket.socket,
        pid: int,
        pidfd: int | None,
        folders: Path,
        label: str,
    ) -> None:
        self.name, self.control, self.pid, self.pidfd = name, control, pid, pidfd
        self.folders, self.label = folders, label
        control.settimeout(SEND_S)
        self.buffer = bytearray()
        self.hung_up = False

    def send(self, message: dict[str, Any]) -> None:
        """Send one request; Gone if the job cannot take it."""
        body = json.dumps(message).encode()
        try:
            self.control.sendall(LENGTH.pack(len(body)) + body)
        except OSError as error:
            raise Gone(f"the {self.name} process takes no requests: {error}") from None

    def poll(self, wait_s: float) -> dict[str, Any] | None:
        """Return the next message, or None if it is not complete after some seconds."""
        message = self._next()
        if message is None and select.select([self.control], [], [], wait_s)[0]:
            try:
                part = self.control.recv(2**20)
            except OSError:
                part = b""
            if not part:
                self.hung_up = True
                raise Gone(f"the {self.name} process ended")
            self.buffer += part
            message = self._next()
        return message

    def _next(self) -> dict[str, Any] | None:
        if len(self.buffer) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self.buffer)
        if size > MOST_BYTES:
            raise Gone(f"the {self.name} process sent more than {MOST_BYTES // 2**20} MiB at once")
        if len(self.buffer) < LENGTH.size + size:
            return None
        body = bytes(self.buffer[LENGTH.size : LENGTH.size + size])
        del self.buffer[: LENGTH.size + size]
        try:
            return parse(body)
        except FrameError as error:
            raise Gone(f"the {self.name} process: {error}") from None

    def processes(self) -> list[int]:
        """All processes of the job."""
        return watch.tree(self.pid)

    def disk_mib(self) -> float:
        """What the job has written where it has no file system of its own."""
        return sum(watch.disk_mib(folder) for folder in self.folders.glob(f"{self.label}-*"))

    def interrupt(self) -> None:
        """Interrupt what runs, as Ctrl-C would: the reaper hands it on to the job."""
        self._signal(signal.SIGINT)

    def kill(self, whole_tree: bool) -> None:
        """End the job and everything it started; `wait` waits until it is gone."""
        if whole_tree:  # there is no process namespace whose end would end them all
            watch.kill_tree(self.pid)
        self._signal(signal.SIGKILL)

    def wait(self) -> None:
        """Wait until a killed job is gone, and let go of it."""
        if self.pidfd is not None:
            end = time.monotonic() + END_S
            while time.monotonic() < end:
                if select.select([self.pidfd], [], [], 0.5)[0]:
                    break
            os.close(self.pidfd)
            self.pidfd = None
        self.control.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.pidfd is not None:
                signal.pidfd_send_signal(self.pidfd, number)
            else:
                os.kill(self.pid, number)
