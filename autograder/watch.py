"""What a job uses, seen from outside: processor time and memory of all its processes together.

The kernel bounds each process; only somebody who sums can bound a job that forks. Everything is
read from /proc; where there is none, the kernel's bounds are all there is.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

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


def tasks(pids: list[int]) -> int:
    """Number of threads of some processes."""
    count = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{pid}/task"))
    return count


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

    Memory that they share with each other counts too, and so do files in memory that they map. The
    first estimate counts it once for each process; only when that reaches `enough_mib` is the
    kernel asked for exact shares, which is slow.
    """
    rough = 0.0
    for pid in pids:
        found = _kib(f"/proc/{pid}/status", "RssAnon:", "RssShmem:")
        rough += max(0.0, found["RssAnon:"] / 1024 - shared_mib) + found["RssShmem:"] / 1024
    if rough < enough_mib:
        return rough
    exact = 0.0
    for pid in pids:
        found = _kib(f"/proc/{pid}/smaps_rollup", "Pss_Anon:", "Pss_Shmem:")
        exact += sum(found.values()) / 1024
    return min(rough, exact) if exact else rough


def _kib(path: str, *names: str) -> dict[str, int]:
    """Some lines of a file of /proc, 0 where there is none."""
    found = dict.fromkeys(names, 0)
    with contextlib.suppress(OSError, ValueError), open(path) as file:
        for line in file:
            name, _, rest = line.partition("\t") if "\t" in line else line.partition(" ")
            if name in found:
                found[name] = int(rest.split()[0])
    return found


def disk_mib(folder: Path) -> float:
    """Size of all files in a folder; infinite if somebody has closed a part of it to us."""
    total, todo = 0, [str(folder)]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(entry.path)
                        else:
                            total += entry.stat(follow_symlinks=False).st_blocks * 512
        except PermissionError:
            return float("inf")
        except OSError:
            continue
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
