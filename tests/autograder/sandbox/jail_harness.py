"""Run a small function in the sandbox, as several kinds of user, and hear what it returned.

`attack(function)` forks a zygote, in it a jail, in that a job that calls the function, and returns
what it returned or the exception it raised, as text. `Machine` says what kind of place the zygote
is started in; each is made for real with namespaces of the test's own.
"""

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import Jail, Limits, Protection, kernel, people, world

SOMEBODY = 4242  # an ordinary user's number
WAIT_S = 60.0
SMALL = Limits(memory_mib=256, processes=16, disk_mib=8, file_mib=16, open_files=64)

linux_root = pytest.mark.skipif(
    not kernel.SUPPORTED or os.geteuid() != 0,
    reason="needs root on Linux, to stand in for every kind of user",
)


@dataclass(frozen=True)
class Machine:
    """Who starts the grader, and may user namespaces be made there?"""

    root: bool = True
    user_namespaces: bool = True
    own_root: bool = False  # the ordinary user has become root of a namespace of one user

    def __str__(self) -> str:
        who = "root" if self.root else "root of one" if self.own_root else "ordinary user"
        return who if self.user_namespaces else f"{who}, no user namespaces"


MACHINES = [Machine(root, names) for root in (True, False) for names in (True, False)]


@dataclass(frozen=True)
class Result:
    """What came of a job."""

    value: Any  # what the function returned
    error: str  # the exception it raised, as "Name: text", or how the job ended
    status: int  # exit status of the reaper
    seconds: float
    said: str  # stderr of the job

    @property
    def held(self) -> bool:
        """The attack met an exception (or its job's end) instead of returning something."""
        return bool(self.error)


def attack(
    function: Callable[[], Any],
    protection: Protection | None = None,
    limits: Limits = SMALL,
    machine: Machine | None = None,
    hide: Sequence[Path] = (),
    around: Callable[[int], None] = lambda reaper: None,
    before: Callable[[], None] = lambda: None,
    reaped: bool = True,
) -> Result:
    """Run a function in a job; `around` is called in the zygote while it runs."""
    machine = machine or Machine(os.geteuid() == 0)
    box = tempfile.mkdtemp(prefix="jail-test-")
    os.chmod(box, 0o711)
    read, write = os.pipe()
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    zygote = os.fork()
    if zygote == 0:
        status = 1
        try:
            os.setpgid(0, 0)
            _settle_in(machine, Path(box), ready_write, go_read)
            before()
            status = _zygote(
                function, protection or Protection(1), limits, hide, around, box, write, reaped
            )
        except BaseException:
            os.write(write, json.dumps(["trouble", traceback.format_exc()]).encode() + b"\n")
        finally:
            os._exit(status)
    try:
        os.close(write)
        os.close(ready_write)
        if os.read(ready_read, 1) == b"m":  # it wants its user namespace filled in
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{zygote}/{name}").write_text("0 0 4294967295")
            os.write(go_write, b"!")
        text = _read_all(read, time.monotonic() + WAIT_S)
        os.waitpid(zygote, 0)
    finally:
        for fd in (read, ready_read, go_read, go_write):
            os.close(fd)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(zygote, signal.SIGKILL)
        shutil.rmtree(box, ignore_errors=True)
    value, error, status, seconds, said = None, "", -1, 0.0, ""
    for line in text.splitlines():
        kind, *content = json.loads(line)
        if kind == "value":
            (value,) = content
        elif kind == "error":
            (error,) = content
        elif kind == "end":
            status, seconds, said = content
        else:
            raise AssertionError(f"the zygote failed: {content[0]}")
    if not error and not any(line.startswith('["value"') for line in text.splitlines()):
        error = f"ended with status {status}"
    return Result(value, error, status, seconds, said)


def _zygote(
    function: Callable[[], Any],
    protection: Protection,
    limits: Limits,
    hide: Sequence[Path],
    around: Callable[[int], None],
    box: str,
    write: int,
    reaped: bool,
) -> int:
    jail = Jail(protection, hide, Path(box))
    jail.enter()
    said, said_write = os.pipe()

    def main() -> None:
        os.dup2(said_write, 2)
        os.set_blocking(2, False)  # nobody reads while the job runs
        try:
            answer = ["value", function()]
        except BaseException as error:
            answer = ["error", f"{type(error).__name__}: {error}"]
        os.write(write, json.dumps(answer).encode() + b"\n")

    start = time.monotonic()
    reaper = jail.start(main, limits, [write, said_write], "student", reaped)
    os.close(said_write)
    around(reaper)
    status = os.waitstatus_to_exitcode(os.waitpid(reaper, 0)[1])
    seconds = time.monotonic() - start
    os.set_blocking(said, False)
    words = b""
    with contextlib.suppress(BlockingIOError):
        words = os.read(said, 65536)
    end = ["end", status, seconds, words.decode(errors="replace")]
    os.write(write, json.dumps(end).encode() + b"\n")
    return 0


def _settle_in(machine: Machine, box: Path, ready: int, go: int) -> None:
    """Turn this forked process into the first process of the wanted kind of machine."""
    if os.geteuid() != 0:
        os.write(ready, b"-")
        return
    if not machine.user_namespaces:
        kernel.syscall("unshare", kernel.CLONE_NEWUSER)
        os.write(ready, b"m")
        os.read(go, 1)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    else:
        os.write(ready, b"-")
    if not machine.root:
        kernel.syscall("unshare", kernel.CLONE_NEWNS)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        expose(world.prefixes())
        os.chown(box, SOMEBODY, SOMEBODY)
        people.become(SOMEBODY, SOMEBODY)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    if machine.own_root:
        kernel.syscall("unshare", kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {SOMEBODY} 1"),
            ("gid_map", f"0 {SOMEBODY} 1"),
        ):
            Path(f"/proc/self/{name}").write_text(text)


def expose(folders: Sequence[str]) -> None:
    """Make folders readable to everybody in this mount namespace, wherever they lie."""
    held = {folder: os.open(folder, os.O_PATH) for folder in folders}
    for folder in folders:
        for parent in reversed(Path(folder).parents):
            if not parent.stat().st_mode & 0o001:
                kernel.mount("tmpfs", str(parent), "tmpfs", 0, "mode=755")
                break
    for folder, fd in held.items():
        os.makedirs(folder, exist_ok=True)
        kernel.mount(f"/proc/self/fd/{fd}", folder, flags=kernel.MS_BIND | kernel.MS_REC)
        os.close(fd)


def _read_all(fd: int, end: float) -> str:
    text = b""
    while True:
        with _alarm(end - time.monotonic()):
            part = os.read(fd, 65536)
        if not part:
            return text.decode()
        text += part


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError("the job did not end")

    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def protection(*off: str, rung: int = 1, abi: int = 99) -> Protection:
    """A protection with some things switched off."""
    return Protection(rung, abi, frozenset(off))
