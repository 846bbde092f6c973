"""Say which protections are in force on this machine, each tried for real, and how to get more."""

import contextlib
import json
import os
import platform
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from autograder.sandbox import Protection, best, cgroup, guarantees, kernel, landlock, table
from autograder.sandbox.rungs import in_a_job, why_not

SWITCHES = {  # files of the kernel that forbid user namespaces, the value that does, and the remedy
    "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl user.max_user_namespaces=10000"),
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "an AppArmor profile with `userns,` for this Python, or "
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
}


def run() -> list[str]:
    """Try every rung and every protection; return what to print, a line each."""
    chosen = best()
    lines = [
        f"{platform.system()} {platform.release()} on {platform.machine()}, "
        f"Python {platform.python_version()}, {_who()}",
        "",
        f"In force: {chosen.label()}.",
    ]
    for rung in (1, 2):
        reason = why_not(Protection(rung))
        lines.append(f"  rung {rung}: {'works' if not reason else f'does not work: {reason}'}")
    lines.append(f"  Landlock: {_landlock()}")
    lines.append(f"  cgroups: {_cgroups()}")
    lines += ["", "Tried in a job just now:"]
    lines += [f"  {'held' if held else 'OPEN'}  {what}" for what, held in attempts(chosen)]
    lines += ["", "What this means (the book has the table for every rung):"]
    lines += [f"  {sentence}" for sentence in guarantees(chosen)]
    if more := advice(chosen):
        lines += ["", "For more:"] + [f"  - {line}" for line in more]
    return lines


def report(stream: TextIO = sys.stdout) -> int:
    """Print it; the status is 0 where the sandbox protects, 1 on rung 3."""
    lines = run()
    print("\n".join(lines), file=stream)
    return int(any("rung 3" in line for line in lines[:3]))


def attempts(protection: Protection) -> list[tuple[str, bool]]:
    """Attack the sandbox from inside, and say of each attack whether it was held."""
    if not hasattr(os, "fork"):
        return []
    with tempfile.TemporaryDirectory(prefix="autograder-doctor-") as folder:
        secret = Path(folder) / "secret"
        secret.write_text("the hidden tests")
        Path(folder).chmod(0o755)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            attacks: dict[str, Callable[[], object]] = {
                "reading a hidden folder": secret.read_text,
                "writing into it": partial(secret.write_text, "forged"),
                "reaching the loopback network": partial(
                    socket.create_connection, listener.getsockname(), 5
                ),
                "seeing the grader's process": partial(os.listdir, f"/proc/{os.getpid()}"),
                "signalling it": partial(os.kill, os.getpid(), 0),
                "reading the memory of the process above": _read_parent,
                "memory in a file without a name": partial(getattr(os, "memfd_create", _no), "x"),
                "a new user namespace": _unshare,
                "a sixty-fifth process": _many_processes,
                "becoming root": partial(os.setuid, 0),
            }
            said = in_a_job(protection, partial(_try_all, attacks), (Path(folder),))
    with contextlib.suppress(ValueError):
        through = set(json.loads(said))
        return [(what, what not in through) for what in attacks]
    return [(f"starting a job: {said}", False)]


def _try_all(attacks: dict[str, Callable[[], object]]) -> str:
    through = []
    for what, attack in attacks.items():
        with contextlib.suppress(Exception):
            attack()
            through.append(what)
    return json.dumps(through)


def _read_parent() -> None:
    with open(f"/proc/{os.getppid()}/mem", "rb"):
        pass


def _unshare() -> None:
    kernel.syscall("unshare", kernel.CLONE_NEWUSER)


def _many_processes() -> None:
    children = []
    try:
        for _ in range(64):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _no(*_: object) -> None:
    raise OSError("not on this system")


def advice(protection: Protection) -> list[str]:
    """Say what to install or change for a stronger sandbox."""
    if not kernel.SUPPORTED:
        return ["grade on Linux (x86_64 or aarch64), a virtual machine included"]
    lines = []
    if protection.rung > 1:
        for path, (bad, remedy) in SWITCHES.items():
            with contextlib.suppress(OSError):
                if Path(path).read_text().strip() == bad:
                    lines.append(f"rung 1 needs user namespaces ({path} is {bad}): {remedy}")
        if not lines:
            lines.append(
                "rung 1 needs user, mount and PID namespaces; in a container, allow them "
                "(docker run --security-opt seccomp=unconfined --security-opt systempaths="
                "unconfined) or grade outside it"
            )
    have = landlock.version()
    if not have:
        lines.append("Landlock needs Linux 5.13 and `landlock` in the kernel's lsm= list")
    elif have < landlock.NEWEST:
        missing = [f"{table.ADDS[abi]} (Linux {table.KERNELS[abi]})" for abi in _newer(have)]
        lines.append("a newer kernel adds to Landlock: " + "; ".join(missing))
    if not _delegated():
        lines.append(
            "hard memory limits need cgroup v2 delegated to you: "
            "systemd-run --user --scope -p Delegate=yes python -m autograder grade ..."
        )
    return lines


def _newer(have: int) -> range:
    return range(have + 1, landlock.NEWEST + 1)


def _landlock() -> str:
    have = landlock.version()
    return f"version {have}, {landlock.NEWEST} known here" if have else "not there"


def _delegated() -> bool:
    here = cgroup.where()
    if here is None:
        return False
    with contextlib.suppress(OSError):
        present = (here / "cgroup.controllers").read_text().split()
        writable = any(os.access(folder, os.W_OK) for folder in (here.parent, here))
        return writable and set(cgroup.CONTROLLERS) <= set(present)
    return False


def _cgroups() -> str:
    if _delegated():
        return "version 2, ours to use: a job's memory and processes are bounded as a whole"
    return "none to use: the watch sums a job's memory and kills it"


def _who() -> str:
    if not hasattr(os, "geteuid"):
        return "no Unix"
    return "started as root (jobs drop it)" if os.geteuid() == 0 else "an ordinary user"
