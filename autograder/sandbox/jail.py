"""Start jobs inside the sandbox: the one door through which student code gets to run.

A zygote makes one `Jail`, calls `enter` before its big imports, and `start` for each job. Each job
is two forks: a reaper, made with the job's namespaces, and the job itself. The order of the steps
in the job matters: what needs rights comes before giving them up, and the seccomp filter is last.
"""

import contextlib
import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from autograder.sandbox import (
    cgroup,
    kernel,
    landlock,
    limits,
    memory,
    people,
    reaper,
    seccomp,
    world,
)
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.protection import Protection

USUAL = ("SIGTERM", "SIGHUP", "SIGCHLD", "SIGALRM")  # a zygote may use them
FOLDERS = ("work", "home", "tmp", "shm")
JOBS = 4096  # user numbers of a zygote, before it takes the first one again
FAILED = 125  # exit status of a reaper that could not set its job up


class Jail:
    """A place to start jobs in, made once in a single-threaded process."""

    def __init__(self, protection: Protection, hide: Sequence[Path], scratch: Path) -> None:
        if not hasattr(os, "fork"):
            raise OSError("this system cannot fork: grade on Linux or macOS, or in WSL on Windows")
        self.protection = protection
        self.hide = list(hide)
        self.scratch = scratch
        self.root = os.geteuid() == 0
        self.drop = self.root and protection.has("uid")
        self.named = protection.rung == 1  # namespaces
        self.world = self.named and protection.has("world")
        self.pids = self.named and protection.has("pids")
        self.network = self.named and protection.has("network")
        self.userns = self.named and not self.root
        self.abi = 0
        if protection.rung <= 2 and protection.has("landlock"):
            self.abi = min(landlock.version(), protection.landlock_abi, landlock.NEWEST)
        self.kept_rights = 0
        self.started = 0

    def enter(self) -> None:
        """Build the world and give up what no job needs; call it once, before the big imports."""
        self.uid, self.gid = os.geteuid(), os.getegid()
        self.seed = os.getpid() * JOBS
        self.socket_bytes = 1 << 18
        with contextlib.suppress(OSError, ValueError):
            self.socket_bytes = int(Path("/proc/sys/net/core/wmem_default").read_text())
        prefixes = world.prefixes()
        packages = [path for path in sys.path if any(world.inside(path, top) for top in prefixes)]
        self.needed = [path for path in (*prefixes, *packages) if os.path.isdir(path)]
        self.paths = world.readable([] if self.world else self.hide)
        if self.drop:
            self.uid = self.gid = people.spare_id(self.seed)
            self.userns = self.world and people.can(self._become_and_unshare)
        self.cgroup = cgroup.own(self.uid, self.gid) if self.protection.has("memory") else None
        if self.world:
            if not self.root:
                people.own_namespace(self.uid, self.gid)
            kernel.syscall("unshare", kernel.CLONE_NEWNS)
            self.aside = world.build(self.hide, self.uid, self.gid)
            if not self.root:
                kernel.set_capabilities()
        elif self.drop:
            self._open_scratch()
        if self.drop and kernel.SUPPORTED and not people.can(self._become_and_look):
            # only root can read Python; Landlock (and the world) hold this right to their paths
            self.kept_rights = 1 << kernel.CAP_DAC_READ_SEARCH
            self.userns = False  # in one, it would not reach files of the root outside
        if self.drop and self.userns:
            people.become(self.uid, self.gid)
        if kernel.SUPPORTED:
            self.filter = self._filter()
            kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or our own /proc files would be root's
        self.zygote = people.handle()

    def start(
        self,
        main: Callable[[], None],
        limits: Limits,
        keep: Sequence[int],
        name: str,
        reaped: bool = True,
    ) -> int:
        """Fork a reaper and below it a job that runs `main` in the jail; return the reaper.

        reaped=False: a job whose own code is ours may do without, where a PID namespace ends with
        it; that saves a fork, and the job is returned.
        """
        self.started += 1
        home = "/tmp" if self.world else tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, reaper.WAITED)
        try:
            pid = self._fork(f"{name}-{self.started}", limits)
            if pid == 0:
                with _ends_here(FAILED, "the sandbox could not be set up"):
                    self._reap(main, limits, set(keep), home, reaped or not self.pids)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid

    def _fork(self, name: str, limits: Limits) -> int:
        if not kernel.SUPPORTED:
            return os.fork()
        if self.cgroup is not None:
            try:
                with self.cgroup.place(name, limits) as folder:
                    return kernel.clone(self._namespaces(), folder)
            except OSError:  # it was taken from us; the watch sums all the same
                self.cgroup = None
        return kernel.clone(self._namespaces())

    def _namespaces(self) -> int:
        if not self.named:
            return 0
        flags = kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
        flags |= kernel.CLONE_NEWUSER if self.userns else 0
        flags |= kernel.CLONE_NEWNS if self.world else 0
        flags |= kernel.CLONE_NEWPID if self.pids else 0
        flags |= kernel.CLONE_NEWNET if self.network else 0
        return flags

    def _reap(
        self, main: Callable[[], None], limits: Limits, keep: set[int], home: str, reaped: bool
    ) -> NoReturn:
        """Be the reaper: finish the namespaces, fork the job, wait for it; or be the job itself."""
        uid, gid = self.uid, self.gid
        if self.userns:
            people.write_maps(uid, gid)
        elif self.drop:
            uid = gid = people.spare_id(self.seed + self.started)
        self._die_with_parent(self.zygote, signal.SIGKILL if self.pids else signal.SIGTERM)
        os.setsid()
        if self.world:
            disk_mib = limits.disk_mib if self.protection.has("disk") else 0
            world.furnish(disk_mib, uid, gid, self.pids, self.aside)
        elif self.drop:
            os.chown(home, uid, gid)
        if kernel.SUPPORTED:
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as adjust:
                adjust.write("1000")
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # nobody reads or writes this process
            if not self.pids:
                kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        others = 1 if self.userns else 0 if self.drop else people.threads_of(uid)
        parent = people.handle() if reaped else self.zygote
        job = os.fork() if reaped else 0
        if job == 0:
            with _ends_here(FAILED, "the sandbox could not be set up"):
                self._confine(limits, keep, home, uid, gid, others, parent)
                with _ends_here(1):
                    main()
        kernel.close_descriptors(set())
        if self.world and not self.userns:  # in a user namespace they are worth nothing outside
            kernel.set_capabilities(1 << kernel.CAP_KILL)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        kills = not self.pids and self.protection.has("reap")
        most = 0
        if self.world and self.pids and self.network and self.protection.has("memory"):
            most = max(1, limits.memory_mib * MIB // self.socket_bytes)
        own = uid if self.drop and not self.world and people.is_spare(uid) else None
        os._exit(reaper.watch(job, None if self.world else home, kills, most, own))

    def _confine(
        self,
        given: Limits,
        keep: set[int],
        home: str,
        uid: int,
        gid: int,
        others: int,
        parent: int | None,
    ) -> None:
        """Be the job: give up everything that it is not to have."""
        has = self.protection.has
        with contextlib.suppress(PermissionError):  # it leads a session already
            os.setsid()
        if has("rlimits"):
            limits.apply(given, others)
        if self.drop and not self.userns:
            people.become(uid, gid, self.kept_rights)
        self._settle(home)
        if kernel.SUPPORTED:
            if has("caps"):
                kernel.set_capabilities(self.kept_rights)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
            self._die_with_parent(parent, signal.SIGKILL)
        if has("fds"):
            kernel.close_descriptors(keep | {0, 1, 2})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for signal_name in USUAL:
            signal.signal(getattr(signal, signal_name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if not kernel.SUPPORTED:
            return
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if self.abi:
            landlock.restrict(self.abi, self._rules(home), has("network"))
        if self.protection.rung <= 2 and has("seccomp"):
            alone = self.pids or (self.drop and not self.userns) or self.abi >= 6
            seccomp.restrict(self.filter if alone else self._filter((0, os.getpid())))

    def _filter(self, signals: Sequence[int] | None = None) -> bytes:
        network = self.protection.has("network")
        return seccomp.assemble(seccomp.program(network, connect=self.world, signals=signals))

    def _settle(self, home: str) -> None:
        """Make the job's folders its own, its environment and its standard descriptors."""
        os.umask(0o022)
        for name in FOLDERS:
            os.mkdir(f"{home}/{name}")
        os.chdir(f"{home}/work")
        os.environ["HOME"] = f"{home}/home"  # update() would touch, so copy, 180 pages
        os.environ["TMPDIR"] = f"{home}/tmp"
        os.environ["MPLCONFIGDIR"] = f"{home}/home/.matplotlib"
        os.environ["USER"] = os.environ["LOGNAME"] = "student"
        tempfile.tempdir = None
        sys.stdout.flush()
        sys.stderr.flush()
        for target, path in enumerate(("/dev/null", f"{home}/stdout", f"{home}/stderr")):
            source = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(source, target)
            os.close(source)

    def _rules(self, home: str) -> Iterator[tuple[str, int]]:
        """List what Landlock lets the job reach."""
        if self.world and self.pids:  # all there is was put there for the job
            yield "/", landlock.READ
        else:
            for path in (*self.paths, *(f"/proc/{name}" for name in ("self", *world.PROC))):
                yield path, landlock.READ
        if self.world:
            yield "/", landlock.READ_DIR
        else:
            yield "/dev/shm", landlock.SHARED
        for name in world.DEVICES:
            yield f"/dev/{name}", landlock.USE
        yield home, landlock.OWN

    def _die_with_parent(self, parent: int | None, number: int) -> None:
        """Be sent a signal when the parent ends; end at once when it did so just now."""
        if kernel.SUPPORTED:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, number)
        if parent is not None and select.select([parent], [], [], 0)[0]:
            os._exit(FAILED)

    def _open_scratch(self) -> None:
        """Let another user pass through our private folders on the way to a job's folder."""
        for folder in (self.scratch, *self.scratch.parents):
            state = folder.stat()
            if state.st_uid == 0 and state.st_mode & 0o7077 == 0:
                folder.chmod(state.st_mode | 0o711)

    def _become_and_unshare(self) -> None:
        people.become(self.uid, self.gid)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        people.own_namespace(self.uid, self.gid)
        kernel.syscall("unshare", kernel.CLONE_NEWNS | kernel.CLONE_NEWPID)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("tmpfs", "/tmp", "tmpfs")
        if not people.can(lambda: kernel.mount("proc", "/proc", "proc")):
            raise PermissionError("a container covers parts of /proc")

    def _become_and_look(self) -> None:
        people.become(self.uid, self.gid)
        for path in self.needed:
            os.listdir(path)


@contextlib.contextmanager
def _ends_here(status: int, what: str = "") -> Iterator[None]:
    """End this process after the block, whatever happens in it."""
    try:
        yield
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        with contextlib.suppress(Exception):
            text = f"{what}\n" if what else ""
            os.write(2, (text + traceback.format_exc()).encode(errors="replace"))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


compact_memory = memory.compact  # for the zygote, before its first job
