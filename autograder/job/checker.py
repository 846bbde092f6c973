"""The program of a checker process: run test cells, ask the student's process for what they lack.

It decodes bytes from a hostile process, so it sits in the same sandbox and holds nothing but the
tests of its own notebook.
"""

from __future__ import annotations

import ast
import signal
import socket
import sys
import traceback
from typing import Any

from autograder import frames
from autograder.job import files
from autograder.job.cells import Cells
from autograder.job.ends import Checker
from autograder.job.messages import DeadKernelError, PeerError
from autograder.job.names import Names
from autograder.job.student import SEED, seed_all

OURS = ("PeerError", "DeadKernelError", "CellTimeoutError")  # names that tell a cause


class _Program:
    def __init__(self, peer: socket.socket) -> None:
        self.checker = Checker(peer)
        self.names: Names = self.checker.names({})
        self.cells: Cells | None = None
        self.hidden_begun = False
        self.sources: dict[str, str] = {}  # of the cells run so far, by what tracebacks call them

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take over what the source says about the notebook."""
        self.names = self.checker.names(request.get("imports", {}))
        self.names.shadows = frozenset(request.get("shadows", ()))
        self.cells = Cells(self.names, render_figures=False)
        if request.get("seed", SEED) != SEED:
            seed_all(request["seed"])
        return {"ok": True}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one cell."""
        if self.cells is None:
            self.start({})
        assert self.cells is not None
        source = request["source"].lstrip("\n")  # as IPython does, or lines would not agree
        shift = len(request["source"]) - len(source)
        hidden = [[first - shift, last - shift] for first, last in request.get("hidden") or ()]
        self.names.known.clear()  # the student's cells may have bound anything since
        self.checker.granted = request.get("granted", ())
        self.checker.judged.clear()
        for name in request.get("rebound", ()):  # a student's cell has bound it since
            self.names.rebind(name)
        if request.get("seed") is not None:
            seed_all(request["seed"])
        self.cells.exception = None
        outputs, error = self.cells.run(source)
        source = self.cells.shell.without_magics(source)
        self.sources[self.cells_name()] = source
        failure = self.cells.exception
        dead = self.checker.dead
        if dead is not None:  # even if the cell has swallowed it: nothing after it was asked
            failure = dead
            name = type(dead).__name__
            text = str(dead)
            error = {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}
        elif error is not None and error["ename"] in OURS:  # a class of the student's, named so
            error["ename"] = _known_name(failure, "Exception")
        public = ""
        if error is not None:
            public = self._public(source, hidden, error, failure)
        self.hidden_begun = self.hidden_begun or bool(hidden)
        reply: dict[str, Any] = {"outputs": outputs, "error": error, "public": public}
        if self.checker.granted is None:
            reply["judged"] = sorted(self.checker.judged)
        return reply

    def _public(
        self,
        source: str,
        hidden: list[list[int]],
        error: dict[str, Any],
        failure: BaseException | None,
    ) -> str:
        """Return what a student may be shown of an error.

        A literal message is the author's own words. Anything computed may hold hidden values, or
        what a student's code has seen of them, once hidden tests have begun.
        """
        name = _known_name(failure, str(error["ename"]))
        if failure is None or isinstance(failure, (PeerError, DeadKernelError)):
            return name
        frames = _cell_frames(failure, self.sources)
        if type(failure) is AssertionError and frames and frames[-1][2]:
            where, line, _ = frames[-1]
            if str(failure) in _literal_messages(self.sources[where], line):
                return str(failure)
        here = [line for where, line, _ in frames if where == self.cells_name()]
        if self.hidden_begun or not here or _reaches(source, here, hidden):
            return name
        return f"{name}: {error['evalue']}"

    def cells_name(self) -> str:
        """Return what the last cell is called in tracebacks."""
        assert self.cells is not None
        return self.cells.filename


def _known_name(failure: BaseException | None, name: str) -> str:
    """Return the name of an exception's class, or of its first ancestor that no cell has made up.

    A name that a student's code chose can tell what it has seen.
    """
    for kind in type(failure).__mro__ if failure is not None else ():
        if kind.__module__ != "__main__":
            return kind.__name__
    return name


def _cell_frames(failure: BaseException, sources: dict[str, str]) -> list[tuple[str, int, bool]]:
    """List frames in cells, outermost first: cell, line, whether it is the innermost frame."""
    trace = list(traceback.walk_tb(failure.__traceback__))
    return [
        (frame.f_code.co_filename, line, index == len(trace) - 1)
        for index, (frame, line) in enumerate(trace)
        if frame.f_code.co_filename in sources
    ]


def _reaches(source: str, lines: list[int], hidden: list[list[int]]) -> bool:
    """Tell whether hidden tests may have begun when an error passed through these lines.

    The cell's statements run in order, so it is enough to look how far the outermost frame was.
    """
    first = min((region[0] for region in hidden), default=sys.maxsize)
    last = max(lines)
    for node in _statements(source):
        if node.lineno <= lines[0] <= (node.end_lineno or node.lineno):
            last = max(last, node.end_lineno or node.lineno)
    return last >= first


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a cell with a magic in it
        return []


def _literal_messages(source: str, line: int) -> list[str]:
    """List the literal messages of the assert statements on a line."""
    found = []
    for top in _statements(source):
        for node in ast.walk(top):
            if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant):
                inside = node.lineno <= line <= (node.end_lineno or node.lineno)
                if inside and isinstance(node.msg.value, str):
                    found.append(node.msg.value)
    return found


def main(control: socket.socket, peer: socket.socket) -> None:
    """Serve the coordinator's requests until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only what runs can be interrupted
    program = _Program(peer)
    while True:
        request = frames.receive(control)
        if request is None:
            return
        frames.send(control, _reply(program, request))


def _reply(program: _Program, request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"do": "files", "files": pieces}:
            files.put(pieces)
            return {"ok": True}
        case {"do": "start"}:
            return program.start(request)
        case {"do": "run", "source": str()}:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                return program.run(request)
            except KeyboardInterrupt:  # it came between the cell's end and here
                error = {"ename": "KeyboardInterrupt", "evalue": "", "traceback": []}
                return {"outputs": [], "error": error, "public": "KeyboardInterrupt"}
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        case {"do": "modules"}:
            return {"modules": sorted(sys.modules)}
    return {"fault": f"unknown request {request.get('do')!r}"}
