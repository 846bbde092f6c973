"""The process that jobs are forked from: it has imported what notebooks import, and nothing else.

It never holds a test, a submission or a result. Cells reach a job over a socket that this process
hands on and closes. It has one thread, or a fork would inherit locks that nobody releases.

There are two of it. The outer one imports; the inner one, its fork, has given up its rights and
serves. What is found to be worth importing later is imported by the outer one, for a new inner one.
"""

import contextlib
import functools
import gc
import importlib
import json
import linecache
import os
import signal
import socket
import struct
import sys
import traceback
from pathlib import Path
from typing import Any

from autograder import frames
from autograder.sandbox import Jail, Limits, Protection, compact_memory

HEAD = struct.Struct("!I")


def main(fd: int) -> None:
    """Serve requests from the coordinator until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's business
    sock = socket.socket(fileno=fd)
    config, _ = _receive(sock)
    assert config is not None
    os.dup2(2, 1)  # what libraries print belongs into the log
    modules: list[str] | None = config["preload"]
    while modules is not None:
        gc.disable()  # it would look in vain, again and again, at all that is imported
        import_all(modules)
        _warm_up()
        sys.dont_write_bytecode = True  # what we import is compiled once; jobs leave nothing
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        compact_memory()
        gc.enable()
        modules = _served_by_a_fork(sock, config)


def _served_by_a_fork(sock: socket.socket, config: dict[str, Any]) -> list[str] | None:
    """Fork the inner process; when it ends, return what it was asked to import, if anything."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        try:
            modules = _serve_all(sock, config)
            if modules is not None:
                os.write(its, b" ")  # so that nothing to import is not the same as nobody there
                with os.fdopen(its, "w") as pipe:
                    json.dump(modules, pipe)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(its)
    with os.fdopen(ours) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said) if said else None


def _serve_all(sock: socket.socket, config: dict[str, Any]) -> list[str] | None:
    """Enter the jail and serve; return when there is something to import, or nobody to serve."""
    jail = Jail(
        Protection(**config["protection"] | {"without": frozenset(config["without"])}),
        [Path(folder) for folder in config["hide"]],
        Path(config["scratch"]),
    )
    jail.enter()
    _reply(sock, {"ready": True, "anonymous_mib": _anonymous_mib(), "threads": _threads()})
    while True:
        request, fds = _receive(sock)
        _reap()
        if request is None:
            return None
        if request["do"] == "preload":
            return list(request["modules"])
        try:
            _start(sock, jail, request, fds)
        except Exception as error:
            _reply(sock, {"fault": f"{type(error).__name__}: {error}"})
        finally:
            for end in fds:
                os.close(end)


def _start(sock: socket.socket, jail: Jail, request: dict[str, Any], fds: list[int]) -> None:
    name, limits = request["name"], Limits(**request["limits"])
    program = functools.partial(_job, name, *fds)
    pid = jail.start(program, limits, fds, request["label"], reaped=name == "student")
    pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    _reply(sock, {"pid": pid}, [] if pidfd is None else [pidfd])
    if pidfd is not None:
        os.close(pidfd)


def _job(name: str, control: int, peer: int) -> None:
    from autograder.job import checker, student

    program = {"student": student.main, "checker": checker.main}[name]
    ends = socket.socket(fileno=control), socket.socket(fileno=peer)
    try:
        program(*ends)
    except Exception as error:  # the only way in which the coordinator can hear of it
        with contextlib.suppress(OSError):
            frames.send(ends[0], {"fault": f"{type(error).__name__}: {error}"})
        raise


def import_all(modules: list[str]) -> None:
    """Import what can be imported; what cannot is the notebook's business, not ours."""
    for name in sorted(modules):  # a package before what is in it
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _warm_up() -> None:
    """Do once what libraries do at their first use, so that no job has to."""
    from autograder.job import checker, rehearsal, shell, student

    del checker
    warm = shell.warm()
    with contextlib.suppress(Exception):
        student.seed_all(student.SEED)
        if "matplotlib.pyplot" in sys.modules:
            cell = "import matplotlib.pyplot as _p\n_p.plot([0, 1]); _p.show(); del _p"
            warm.run_cell(cell, store_history=False)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)
            warm.run_cell("import torch\ntorch.manual_seed(0)", store_history=False)
            net = torch.nn.Linear(2, 2)
            loss = net(torch.ones(2, 2)).tanh().sum()
            loss.backward()
            if "torch._dynamo" in sys.modules:  # which any optimiser imports, for a second
                torch.optim.Adam(net.parameters()).step()
        rehearsal.rehearse()
        student.seed_all(student.SEED)
    warm.run_cell("1", store_history=False)
    warm.failure = None
    for name, module in list(sys.modules.items()):
        if name.startswith("autograder."):  # a traceback reads what it passes through
            linecache.getlines(module.__file__ or "")


def _threads() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 1


def _anonymous_mib() -> float:
    """Memory that every fork shares with this process and must not be charged for."""
    with contextlib.suppress(OSError):
        _, resident, shared = Path("/proc/self/statm").read_text().split()[:3]
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _receive(sock: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    head, fds, _, _ = socket.recv_fds(sock, HEAD.size, 2)
    if len(head) < HEAD.size:
        return None, list(fds)
    (size,) = HEAD.unpack(head)
    body = b""
    while len(body) < size:
        part = sock.recv(size - len(body))
        if not part:
            return None, list(fds)
        body += part
    return json.loads(body), list(fds)


def _reply(sock: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    body = json.dumps(message).encode()
    socket.send_fds(sock, [HEAD.pack(len(body)) + body], fds or [])


if __name__ == "__main__":
    main(int(sys.argv[1]))
