"""The small trusted process above a job: it outlives the job by nothing and leaves nothing behind.

On rung 1 it is process 1 of the job's PID namespace, so its end is everybody's end. Elsewhere it is
the subreaper of whatever the job leaves, and kills it.
"""

import contextlib
import os
import signal

from autograder.sandbox import folder

LOOK_S = 0.2  # between two looks at the number of sockets
NAMES = ("SIGCHLD", "SIGINT", "SIGTERM")
WAITED = {getattr(signal, name) for name in NAMES if hasattr(signal, name)}


def watch(
    job: int, home: str | None, kills: bool, most_sockets: int = 0, owner: int | None = None
) -> int:
    """Wait for the job, clean up after it, return its exit status as a shell would.

    SIGINT is handed on to the job. SIGTERM kills it: the zygote has ended, and no namespace ends
    the job with us. home: the job's folder, to be removed, if it lies on a disk. kills: kill what
    the job leaves running, which the kernel does itself where we are process 1 of a namespace.
    most_sockets: kill a job that has more (in a network namespace), 0 for any number. owner: a user
    who was made for this job alone, so that all of that user's files can go.
    """
    waited = WAITED if kills else WAITED - {signal.SIGTERM}
    counter = os.open("/proc/self/net/sockstat", os.O_RDONLY) if most_sockets else -1
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == job:
            break
        if ended:
            continue
        if counter < 0:
            number = signal.sigwait(waited)
        else:
            said = signal.sigtimedwait(waited, LOOK_S)
            if said is None:
                if int(os.pread(counter, 100, 0).split()[2]) > most_sockets:
                    os.kill(job, signal.SIGKILL)
                continue
            number = said.si_signo
        if number != signal.SIGCHLD:
            with contextlib.suppress(ProcessLookupError):
                os.kill(job, signal.SIGINT if number == signal.SIGINT else signal.SIGKILL)
    if kills:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(job, signal.SIGKILL)  # all there is where no /proc lists processes
        kill_descendants()
    if home is not None:
        folder.remove(home)
    if owner is not None:
        folder.remove_of(owner)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def kill_descendants() -> None:
    """Kill every process below this one; orphans have become our own children."""
    while True:
        found = descendants(os.getpid())
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP)  # first all of them, or one forks while another dies
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0 if not found else os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def descendants(root: int) -> list[int]:
    """Return the processes below `root`, as /proc tells it."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    todo = [root]
    while todo:
        for child in children.get(todo.pop(), ()):
            found.append(child)
            todo.append(child)
    return found
