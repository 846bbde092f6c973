"""The program of a student process: run the student's cells, and answer what their tests ask.

It holds no test, no other submission and no mark. Whatever it sends may be a lie, so nobody who
reads it may believe more than that this student's code said so.
"""

import contextlib
import random
import select
import signal
import socket
import sys
from multiprocessing import reduction
from typing import Any

from autograder import frames
from autograder.job import files
from autograder.job.cells import Cells
from autograder.job.ends import Student

SEED = 0  # of every process at its start


def main(control: socket.socket, peer: socket.socket) -> None:
    """Serve the coordinator's requests, and between them the checker's, until one hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only what runs can be interrupted
    cells = Cells()
    answers = Student(peer, cells.namespace)
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    waiting.register(peer, select.POLLIN)
    while True:
        for fd, _ in waiting.poll():
            if fd == control.fileno():
                request = frames.receive(control)
                if request is None:
                    return
                reply = _reply(cells, request)
                try:
                    frames.send(control, reply)
                except (TypeError, ValueError, RecursionError):  # an output that is no JSON
                    frames.send(control, reply | {"outputs": []})
            elif not _serve(answers):
                waiting.unregister(peer)  # the checker is gone; the student's cells go on


def _reply(cells: Cells, request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"do": "files", "files": pieces}:
            files.put(pieces)
            return {"ok": True}
        case {"do": "start", "seed": seed, "rung": rung}:
            if seed != SEED:  # the process that we were forked from has done it
                seed_all(seed)
            if rung > 1 and "torch" in sys.modules:
                # no process may connect to another there: tensors go through pipes as bytes
                reduction.ForkingPickler._extra_reducers.clear()  # type: ignore[attr-defined]
            return {"ok": True}
        case {"do": "run", "source": source}:
            with _interruptible():
                outputs, error = cells.run(source)
            return {"outputs": outputs, "error": error}
        case {"do": "ping"}:
            return {"ok": True}
        case {"do": "modules"}:
            return {"modules": sorted(sys.modules)}
    return {"fault": f"unknown request {request.get('do')!r}"}


def _serve(answers: Student) -> bool:
    try:
        with _interruptible():
            return answers.serve_one()
    except KeyboardInterrupt:  # it came when the answer was on its way already
        return True


@contextlib.contextmanager
def _interruptible() -> Any:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)  # an alarm must not ring in somebody else's cell


def seed_all(seed: int) -> None:
    """Seed the generators that a notebook may use without asking."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)  # the other devices', which are none, take long
