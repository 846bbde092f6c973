"""Users and user namespaces: become somebody who owns nothing."""

import contextlib
import os
from collections.abc import Callable

from autograder.sandbox import kernel

NOBODY = 65534
FIRST_SPARE, SPARE = 0x70000000, 1 << 27  # user numbers that not even containers are given


def spare_id(seed: int) -> int:
    """Choose a user and group number that owns nothing and exists in our user namespace."""
    wanted = FIRST_SPARE + seed % SPARE
    users, groups = _mapped("uid_map"), _mapped("gid_map")
    for number in (wanted, NOBODY):
        if any(number in block for block in users) and any(number in block for block in groups):
            return number
    top = min(max(block[-1] for block in users), max(block[-1] for block in groups))
    return max(0, top - seed % max(1, top // 2))


def is_spare(uid: int) -> bool:
    """Say whether a number is one of those that nobody else can have."""
    return FIRST_SPARE <= uid < FIRST_SPARE + SPARE


def _mapped(name: str) -> list[range]:
    with contextlib.suppress(OSError), open(f"/proc/self/{name}") as lines:
        fields = [line.split() for line in lines]
        return [range(int(low), int(low) + int(size)) for low, _, size in fields]
    return [range(1 << 32)]


def become(uid: int, gid: int, kept_rights: int = 0) -> None:
    """Turn from root into another user for good, keeping only the given capabilities."""
    if kernel.SUPPORTED:
        kernel.bound_capabilities(kept_rights)
        kernel.prctl(kernel.PR_SET_KEEPCAPS, int(kept_rights != 0))
    with contextlib.suppress(PermissionError):  # refused to the root of a small user namespace
        os.setgroups([])
    if hasattr(os, "setresgid"):
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    else:
        os.setgid(gid)
        os.setuid(uid)
    if kept_rights:
        kernel.set_capabilities(kept_rights)


def own_namespace(uid: int, gid: int) -> None:
    """Enter a user namespace of our own, as the same user."""
    kernel.syscall("unshare", kernel.CLONE_NEWUSER)
    write_maps(uid, gid)


def write_maps(uid: int, gid: int) -> None:
    """Say who we are in the user namespace that we have just entered: the same as outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        file = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(file, text.encode())
        os.close(file)


def handle() -> int | None:
    """Return a descriptor that says when this process ends, where the system has such."""
    with contextlib.suppress(OSError, AttributeError):
        return os.pidfd_open(os.getpid())
    return None


def can(action: Callable[[], None]) -> bool:
    """Try something in a child process and say whether it worked."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def threads_of(uid: int) -> int:
    """Count a user's threads, as RLIMIT_NPROC does outside a user namespace."""
    count = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if entry.stat().st_uid == uid:
                        count += len(os.listdir(f"{entry.path}/task"))
    return count
