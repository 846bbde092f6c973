"""Find out by trying which rung of the protection ladder works here, and what it guarantees."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.sandbox import kernel, landlock, table
from autograder.sandbox.jail import Jail
from autograder.sandbox.limits import Limits
from autograder.sandbox.protection import Protection

WEAKEST = 3
PROBE = Limits(disk_mib=16)


def best(cap: int = 1) -> Protection:
    """Return the strongest protection that works here, tried for real; never raises."""
    for rung in range(cap, WEAKEST):
        if not why_not(Protection(rung)):
            return Protection(rung)
    return Protection(WEAKEST)


def why_not(protection: Protection) -> str:
    """Start a small job under a protection and say why that failed; nothing if it did not."""
    if not hasattr(os, "fork"):
        return "this system cannot fork"
    if protection.rung < WEAKEST and not kernel.SUPPORTED:
        return "it needs Linux on x86_64 or aarch64"
    if protection.rung == 2 and landlock.version() == 0:
        return "the kernel has no Landlock, or it is switched off"
    try:
        said = in_a_job(protection, lambda: "works")
    except Exception as error:  # a machine may refuse anything; it must not end the grader
        return str(error)
    return "" if said == "works" else said or "the job did not run"


def in_a_job(protection: Protection, action: Callable[[], str], hide: tuple[Path, ...] = ()) -> str:
    """Run a function in a job of a throw-away zygote and return its answer, or what went wrong."""
    with tempfile.TemporaryDirectory(prefix="autograder-probe-") as scratch:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                _probe(protection, action, Path(scratch), hide, write)
            except BaseException as error:
                os.write(write, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as answer:
            said = answer.read().decode(errors="replace")
        os.waitpid(pid, 0)
        return said


def _probe(
    protection: Protection,
    action: Callable[[], str],
    scratch: Path,
    hide: tuple[Path, ...],
    write: int,
) -> None:
    os.dup2(write, 2)  # what cannot be set up is said there
    jail = Jail(protection, hide, scratch)
    jail.enter()
    reaper = jail.start(lambda: _say(write, action()), PROBE, [write], "probe")
    os.waitpid(reaper, 0)


def _say(write: int, text: str) -> None:
    os.write(write, text.encode())


def guarantees(protection: Protection) -> list[str]:
    """Say in plain sentences what holds under a protection on this machine."""
    abi = min(landlock.version(), protection.landlock_abi)
    return table.sentences(protection, abi if protection.has("landlock") else 0)
