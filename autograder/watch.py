"""What a job uses, seen from outside: processor time and memory of all its processes together.

The kernel bounds each process; only somebody who sums can bound a job that forks. Everything is
read from /proc; where there is none, the kernel's bounds are all there is.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

PAGE_MIB = getattr(os, "sysconf", lambda _: 4096)("SC_PAGE_SIZE") / 2**20
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """A process and all that descend from it; empty when it is gone."""
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        if not (PROC / str(parent)).is_dir():
            continue
        found.append(parent)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    todo += [int(child) for child in file.read().split()]
    return found


def cpu_s(pids: list[int]) -> float:
    """Processor seconds of some processes and of the children that they have waited for."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()  # the name may hold anything
            total += sum(int(field) for field in fields[11:15])
    return total * TICK_S


def memory_mib(pids: list[int], shared_mib: float, enough_mib: float) -> float:
    """Memory that some processes use beyond what each of them shares with the zygote.

    The first estimate counts pages that they share with each other once for each; only when it
    reaches `enough_mib` is the kernel asked for exact shares, which is slow.
    """
    rough = 0.0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            _, resident, file = Path(f"/proc/{pid}/statm").read_text().split()[:3]
            rough += max(0.0, (int(resident) - int(file)) * PAGE_MIB - shared_mib)
    if rough < enough_mib:
        return rough
    exact = 0.0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            exact += int(next(x for x in lines if x.startswith("Pss_Anon:")).split()[1]) / 1024
    return min(rough, exact) if exact else rough


def disk_mib(folder: Path) -> float:
    """Size of all files in a folder."""
    total, todo = 0, [str(folder)]
    while todo:
        with contextlib.suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total / 2**20


def kill_tree(pid: int, patience_s: float = 5.0) -> None:
    """Kill what descends from a process until nothing is left, then the process itself.

    The process must be one that its orphans come back to, or they would get away.
    """
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        children = [child for child in tree(pid) if child != pid]
        alive = [child for child in children if not _is_zombie(child)]
        for child in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        if not alive:
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat[stat.rindex(")") + 2] == "Z"
