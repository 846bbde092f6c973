"""Restrict a process to some paths with Landlock, at the version this kernel has or a lower one."""

import contextlib
import ctypes
import os
from collections.abc import Iterable

from autograder.sandbox import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FIRST = (1 << 13) - 1  # all rights on files of version 1
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # what a rule on a file takes
READ = EXECUTE | READ_FILE | READ_DIR
USE = READ_FILE | WRITE_FILE | TRUNCATE  # a device such as /dev/null
SHARED = READ_FILE | WRITE_FILE | TRUNCATE | 1 << 5 | 1 << 8  # make, use, remove a file; no listing
OWN = FIRST | REFER | TRUNCATE  # the job's own folder
BIND_TCP, CONNECT_TCP = 1, 2
SCOPE_ABSTRACT_SOCKETS, SCOPE_SIGNALS = 1, 2
QUIET = 1  # version 7: no line in the audit log for each thing denied

NEWEST = 7  # the newest version this module knows


def version() -> int:
    """Return Landlock's version here, 0 where there is none."""
    if not kernel.SUPPORTED:
        return 0
    with contextlib.suppress(OSError):
        return kernel.syscall("landlock_create_ruleset", None, 0, 1)
    return 0


def handled(abi: int) -> tuple[int, int, int]:
    """Return what a ruleset of this version handles: rights on files, on the network, scopes."""
    files = FIRST
    files |= REFER if abi >= 2 else 0
    files |= TRUNCATE if abi >= 3 else 0
    files |= IOCTL_DEV if abi >= 5 else 0
    net = BIND_TCP | CONNECT_TCP if abi >= 4 else 0
    scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS if abi >= 6 else 0
    return files, net, scopes


def restrict(abi: int, paths: Iterable[tuple[str, int]], network: bool = True) -> None:
    """Allow this process and its children the given rights below the given paths, nothing else.

    A path that does not exist is left out. The process must have no_new_privs set.
    """
    files, net, scopes = handled(abi)
    if not network:
        net = 0
        scopes &= ~SCOPE_ABSTRACT_SOCKETS
    attributes = (ctypes.c_uint64 * 3)(files, net, scopes)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = kernel.syscall("landlock_create_ruleset", bytes(attributes)[:size], size, 0)
    for path, rights in paths:
        try:
            below = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if not os.path.isdir(path):
            rights &= FILE_RIGHTS
        rule = (rights & files).to_bytes(8, "little") + below.to_bytes(4, "little")
        try:
            kernel.syscall("landlock_add_rule", ruleset, 1, rule, 0)
        finally:
            os.close(below)
    kernel.syscall("landlock_restrict_self", ruleset, QUIET if abi >= 7 else 0)
    os.close(ruleset)
