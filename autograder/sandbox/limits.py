"""What one job may use, and how that is said to the kernel."""

import contextlib
import os
import sys
from dataclasses import dataclass

with contextlib.suppress(ImportError):  # Windows has none, and no job is ever started there
    import resource

MIB = 1 << 20
STACK_MIB = 64  # the most a job may raise its stack to
UNTOUCHED_MIB = 1024  # address space that threads reserve and never touch: stacks and heaps
# macOS has limits that nobody may set; on Linux a job whose limits cannot be set does not start
REFUSALS = () if sys.platform == "linux" else (OSError, ValueError)


@dataclass(frozen=True)
class Limits:
    """What one job (a student's or a checker's process with all its children) may use."""

    memory_mib: int = 2048
    processes: int = 64
    open_files: int = 256
    file_mib: int = 256
    disk_mib: int = 512
    cpu_s: int = 3600


def apply(limits: Limits, others: int = 0) -> None:
    """Set the limits that the kernel holds for each process.

    The address space may grow by `memory_mib` and something beyond what this process has inherited;
    who holds a job to its memory is the watch. `others` are processes of the same user that the
    kernel counts although they are not the job's.
    """
    ceilings = {
        "RLIMIT_AS": _address_space() + (limits.memory_mib + UNTOUCHED_MIB) * MIB,
        "RLIMIT_NPROC": limits.processes + others,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_FSIZE": limits.file_mib * MIB,
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_CORE": 1,  # with 0 a crash still starts the system's crash reporter, as root
        "RLIMIT_MEMLOCK": MIB,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NICE": 0,
        "RLIMIT_RTPRIO": 0,
        "RLIMIT_SIGPENDING": 1024,
    }
    for name, ceiling in ceilings.items():
        kind = getattr(resource, name, None)  # macOS has fewer of them
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = ceiling if hard == resource.RLIM_INFINITY else min(ceiling, hard)
        with contextlib.suppress(*REFUSALS):
            resource.setrlimit(kind, (value, value))
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if hard == resource.RLIM_INFINITY and soft != resource.RLIM_INFINITY:
        with contextlib.suppress(*REFUSALS):
            resource.setrlimit(resource.RLIMIT_STACK, (soft, max(soft, STACK_MIB * MIB)))


def _address_space() -> int:
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return 1 << 30
    try:
        return int(os.read(statm, 100).split()[0]) * resource.getpagesize()
    finally:
        os.close(statm)
