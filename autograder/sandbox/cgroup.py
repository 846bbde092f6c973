"""Bound a job's memory and processes as a whole, where cgroups of version 2 are ours to use.

"Ours" means that the folder of our own cgroup or the one above it can be written, as under
`systemd-run --user --scope -p Delegate=yes` or in a desktop session. Elsewhere the watch alone sums
what a job's processes take.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.sandbox import reaper
from autograder.sandbox.limits import MIB, Limits

CONTROLLERS = ("memory", "pids")
NAME = "autograder-"


class Cgroup:
    """A cgroup of the zygote's own that has one below it for each job."""

    def __init__(self, base: Path) -> None:
        self.folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.made: list[str] = []

    @contextlib.contextmanager
    def place(self, name: str, limits: Limits) -> Iterator[int]:
        """Make a job's cgroup; gives a descriptor of its folder, to clone into."""
        for old in list(self.made):
            with contextlib.suppress(OSError):  # still in use
                os.rmdir(old, dir_fd=self.folder)
                self.made.remove(old)
        os.mkdir(name, dir_fd=self.folder)
        self.made.append(name)
        for file, value in {
            "memory.max": (limits.memory_mib + limits.disk_mib) * MIB,  # a tmpfs is memory
            "memory.swap.max": 0,
            "memory.oom.group": 1,
            "pids.max": limits.processes + 1,
        }.items():
            with contextlib.suppress(FileNotFoundError):  # a controller that is not there
                self._write(f"{name}/{file}", str(value))
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder)
        try:
            yield folder
        finally:
            os.close(folder)

    def _write(self, path: str, text: str) -> None:
        file = os.open(path, os.O_WRONLY, dir_fd=self.folder)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)


def own(uid: int, gid: int) -> Cgroup | None:
    """Make a cgroup for this process and its jobs and hand it to a user; None if that fails."""
    here = where()
    for above in () if here is None else (here.parent, here):
        with contextlib.suppress(OSError):
            return _make(above, uid, gid)
    return None


def where() -> Path | None:
    """Return the folder of our own cgroup of version 2."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        name = next(line[3:] for line in lines if line.startswith("0::"))
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            fields = line.split()
            if fields[fields.index("-") + 1] == "cgroup2":
                return Path(fields[4]) / os.path.relpath(name, fields[3])
    return None


def sweep(above: Path) -> None:
    """Remove what runs that are over have left; a cgroup in use cannot be removed."""
    for old in above.glob(NAME + "*"):
        for folder in (*(path for path in old.iterdir() if path.is_dir()), old):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _make(above: Path, uid: int, gid: int) -> Cgroup:
    """Make a cgroup below `above`, with us in a leaf of it, so that it can have others below it."""
    present = (above / "cgroup.controllers").read_text().split()
    if not set(CONTROLLERS) <= set(present):
        raise OSError(f"{above} does not have {CONTROLLERS}")
    sweep(above)
    base = above / f"{NAME}{os.getpid()}"
    base.mkdir()
    leaf = base / "zygote"
    try:
        leaf.mkdir()
        wanted = " ".join(f"+{name}" for name in CONTROLLERS)
        if not set(CONTROLLERS) <= set((above / "cgroup.subtree_control").read_text().split()):
            _empty(above, leaf)
            (above / "cgroup.subtree_control").write_text(wanted)
        (leaf / "cgroup.procs").write_text("0")
        (base / "cgroup.subtree_control").write_text(wanted)
        for path in (base, *(base / f"cgroup.{name}" for name in ("procs", "subtree_control"))):
            os.chown(path, uid, gid)
        os.chown(leaf / "cgroup.procs", uid, gid)
        return Cgroup(base)
    except OSError:
        for folder in (leaf, base):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _empty(folder: Path, leaf: Path) -> None:
    """Move all processes of a cgroup into a leaf, or it could set no limits for those below.

    Only our own family is moved; if there is anybody else, the cgroup is not ours.
    """
    pids = {int(pid) for pid in (folder / "cgroup.procs").read_text().split()}
    family, above = set(), os.getpid()
    while above > 1:
        family.add(above)
        above = int(Path(f"/proc/{above}/stat").read_text().rpartition(")")[2].split()[1])
    family.update(reaper.descendants(os.getppid()))
    if not pids <= family:
        raise OSError(f"{folder} holds other processes")
    for pid in pids:
        (leaf / "cgroup.procs").write_text(str(pid))
