"""Build the file tree that jobs see: Python, the system's programs, and nothing of anybody's.

The zygote builds one world for all its jobs (`build`): a small read-only tree in memory with
read-only views of what Python needs. Each job then gets its own /tmp and /proc in it (`furnish`).
Without mount namespaces the same list of paths becomes Landlock rules (`readable`).
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder.sandbox import kernel

SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
)
SETTINGS = ("alternatives", "fonts", "ld.so.cache", "localtime", "mime.types", "ssl/openssl.cnf")
DEVICES = ("null", "zero", "full", "random", "urandom")
PROCESSORS = "/sys/devices/system/cpu"  # torch asks it for the processor's kind
PROC = ("cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems", "sys/kernel")

ASIDE = "/.aside"  # where a Python that lies below /tmp waits to be shown in each job's /tmp

READ_ONLY, NO_SETUID, NO_DEVICES = 1, 2, 4  # attributes for mount_setattr


def prefixes() -> list[str]:
    """Return the folders that hold Python and its packages, outermost only, real paths."""
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
    found |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    found.add(os.path.dirname(os.path.realpath(sys.executable)))
    both = found | {os.path.realpath(path) for path in found}
    return outermost(path for path in both if os.path.isdir(path) and path != "/")


def outermost(paths: Iterable[str]) -> list[str]:
    """Leave out every path that lies below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(inside(path, other) for other in kept):
            kept.append(path)
    return kept


def inside(path: str, folder: str) -> bool:
    """Say whether a path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def readable(hide: Sequence[Path]) -> list[str]:
    """Return the paths a job may read and execute where it has no file tree of its own.

    A folder that holds a hidden one is replaced by what else it holds.
    """
    hidden = [os.path.realpath(path) for path in hide]
    settings = [f"/etc/{name}" for name in ("passwd", "group", "hosts", "nsswitch.conf", *SETTINGS)]
    todo = [*SYSTEM, *settings, PROCESSORS, *prefixes()]
    real = [os.path.realpath(folder) for folder in todo if os.path.exists(folder)]
    return [path for folder in real for path in _without(folder, hidden)]


def _without(folder: str, hidden: Sequence[str]) -> list[str]:
    below = [path for path in hidden if inside(path, folder)]
    if not below:
        return [folder]
    if folder in below:
        return []
    return [path for entry in os.scandir(folder) for path in _without(entry.path, below)]


def build(hide: Sequence[Path], uid: int, gid: int) -> list[str]:
    """Replace the file tree of this process by a small one. It needs a mount namespace of its own.

    Everything in it is read-only; each job gets a /tmp of its own by `furnish`. Returns the paths
    below /tmp that hold Python, for `furnish`.
    """
    shown = {path: os.path.realpath(path) for path in prefixes() if not _is_system(path)}
    covered = {str(path.absolute()) for path in hide} | {os.path.realpath(path) for path in hide}
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", "/tmp", "tmpfs", flags, "size=4m,mode=755")
    os.mkdir("/tmp/old")
    kernel.syscall("pivot_root", b"/tmp", b"/tmp/old")
    os.chdir("/")
    os.umask(0o022)
    for path in SYSTEM:
        if os.path.islink("/old" + path):
            os.symlink(os.readlink("/old" + path), path)
        elif os.path.isdir("/old" + path):
            _bind(path, path)
    # outer folders first, so that a prefix inside a hidden folder is shown all the same
    for path in sorted({*shown, *covered}, key=lambda path: (path.count("/"), path in covered)):
        if path in covered:
            _cover(path)
            _cover(ASIDE + path)
        else:
            _bind(path, shown[path])
            if inside(path, "/tmp"):
                _bind(ASIDE + path, shown[path])
    for name in SETTINGS:
        if os.path.exists(f"/old/etc/{name}"):
            _bind(f"/etc/{name}", f"/etc/{name}")
    _write("/etc/passwd", f"student:x:{uid}:{gid}:student:/tmp/home:/bin/sh\n")
    _write("/etc/group", f"student:x:{gid}:\n")
    _write("/etc/hosts", "127.0.0.1 localhost\n")
    _write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    for name in DEVICES:
        _write(f"/dev/{name}", "")
        kernel.mount(f"/old/dev/{name}", f"/dev/{name}", flags=kernel.MS_BIND)
    for link, target in {
        "/dev/shm": "/tmp/shm",
        "/dev/fd": "/proc/self/fd",
        "/dev/stdin": "/proc/self/fd/0",
        "/dev/stdout": "/proc/self/fd/1",
        "/dev/stderr": "/proc/self/fd/2",
        "/var/tmp": "/tmp/tmp",
    }.items():
        if not os.path.lexists(link):
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(target, link)
    if os.path.isdir("/old" + PROCESSORS):
        _bind(PROCESSORS, PROCESSORS)
    os.mkdir("/proc")
    kernel.mount("/old/proc", "/proc", flags=kernel.MS_BIND | kernel.MS_REC)
    os.makedirs("/tmp", exist_ok=True)
    kernel.syscall("umount2", b"/old", kernel.MNT_DETACH)
    os.rmdir("/old")
    kernel.mount("none", "/", flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | flags)
    return [path for path in shown if inside(path, "/tmp")]


def furnish(disk_mib: int, uid: int, gid: int, proc: bool, aside: Sequence[str] = ()) -> None:
    """Give a job its own /tmp (its only writable folder) and, in a PID namespace, its own /proc."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    bounds = f"size={disk_mib}m,nr_inodes={1024 + 32 * disk_mib}," if disk_mib else ""
    options = f"{bounds}mode=755,uid={uid},gid={gid}"
    kernel.mount("tmpfs", "/tmp", "tmpfs", flags, options)
    for path in aside:
        os.makedirs(path)
        kernel.mount(ASIDE + path, path, flags=kernel.MS_BIND | kernel.MS_REC)
    if proc:
        kernel.mount("proc", "/proc", "proc", flags | kernel.MS_NOEXEC)


def _is_system(path: str) -> bool:
    return any(inside(path, folder) for folder in SYSTEM)


def _bind(path: str, real: str) -> None:
    """Show one path of the old tree, read-only, in the new one."""
    if os.path.isdir("/old" + real):
        os.makedirs(path, exist_ok=True)
    else:
        _write(path, "")
    kernel.mount("/old" + real, path, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.set_mount(path, READ_ONLY | NO_SETUID | NO_DEVICES)


def _cover(path: str) -> None:
    """Put something empty over a path that the new tree would otherwise show."""
    if os.path.isdir(path):
        flags = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("tmpfs", path, "tmpfs", flags, "size=4k,mode=755")
    elif os.path.exists(path):
        kernel.mount("/old/dev/null", path, flags=kernel.MS_BIND)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
