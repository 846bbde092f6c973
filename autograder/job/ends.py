"""The two ends of the conversation: the student's process answers, the checker's asks."""

from __future__ import annotations

import builtins
import socket
import sys
from collections.abc import Mapping
from typing import Any

from autograder.job.ambient import Printed, asks_anew
from autograder.job.gradients import Graph
from autograder.job.handles import find_sources
from autograder.job.messages import ANSWER, REQUEST, DeadKernelError, PeerError
from autograder.job.names import Names
from autograder.job.remote import Peer


def _await(coroutine: Any) -> Any:
    import asyncio  # takes a while, and few need it

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
            kind, number, source = self.receive()
            if kind != REQUEST:
                self.finish(source, self.read_value if kind == ANSWER else self.read_error)
                return True  # the answer to a call that was interrupted here
            self.serve(number, source)
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
