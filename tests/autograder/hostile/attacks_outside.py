"""Attacks on what lies outside of a job: files, network, processes, kernel.

@NAMES@ in capitals stand for what a canary offers: ports, paths, a process; @WON@ for the words
that the attack prints when it sees itself succeed.
"""

from attack import (
    ONE_PROCESS,
    Attack,
    attack,
    costs,
    felt,
    gets_through,
    learns,
    says_won,
    writes,
)

LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
# each is kept by more than one protection; as few groups as can be, for each is a run of its own
NETWORK = "network landlock seccomp"
FILES = "world landlock seccomp uid caps"
PROCESSES = "pids world landlock seccomp uid caps"
ALL_SOCKETS = f"{NETWORK} {FILES}"
KERNEL = "seccomp landlock uid caps"


def sends(name: str, how: str, off: str = NETWORK) -> Attack:
    """An attack that sends its name to a server outside."""
    code = f"import os, socket\ntry:\n    {how}\nexcept OSError as error:\n    print(error)"
    return attack(name, "no network, loopback included", gets_through, off, double=code)


def reads(name: str, path: str, secret: str, off: str = FILES, as_root: bool = False) -> Attack:
    """An attack that prints a file."""
    code = f"""
        import glob
        for path in glob.glob({path!r}):
            try:
                print(open(path, encoding="latin-1").read())
            except OSError as error:
                print(error)
    """
    aim = "a file system of its own"
    return attack(name, aim, learns(secret), off, as_root=as_root, double=code)


def tries(name: str, aims_at: str, off: str, code: str, as_root: bool = False) -> Attack:
    """An attack in C's words that sees for itself whether it worked: `won` is set if so."""
    lines = "\n".join(f"    {line}" for line in code.strip().splitlines())
    text = f"{LIBC}won = False\ntry:\n{lines}\nexcept (OSError, AttributeError) as error:\n"
    text += "    print(error)\nif won: print(@WON@)"
    return attack(name, aims_at, says_won, off, as_root=as_root, double=text)


def calls(name: str, number: int, arguments: str, as_root: bool = False) -> Attack:
    """An attack that asks the kernel for something no cell needs."""
    return tries(
        name,
        "a list of system calls",
        KERNEL,
        f"got = libc.syscall({number}, {arguments})\n"
        "won = got >= 0\n"
        "print(got, os.strerror(ctypes.get_errno()))",
        as_root,
    )


ATTACKS: list[Attack] = [
    # -- network
    sends("tcp", "socket.create_connection(('127.0.0.1', @TCP@), 2).sendall(b'<@NAME@>')"),
    sends("tcp6", "socket.create_connection(('::1', @TCP6@), 2).sendall(b'<@NAME@>')"),
    sends("udp", "socket.socket(2, socket.SOCK_DGRAM).sendto(b'<@NAME@>', ('127.0.0.1', @UDP@))"),
    sends(
        "unix-abstract",
        "s = socket.socket(socket.AF_UNIX); s.connect('\\0@ABSTRACT@'); s.sendall(b'<@NAME@>')",
    ),
    sends(
        "unix-path",
        "s = socket.socket(socket.AF_UNIX); s.connect('@UNIX@'); s.sendall(b'<@NAME@>')",
        f"{NETWORK} {FILES}",
    ),
    sends("tcp-of-bash", 'os.system("bash -c \'echo \\"<@NAME@>\\" > /dev/tcp/127.0.0.1/@TCP@\'")'),
    tries(
        "socket-families",
        "only harmless families of sockets",
        ALL_SOCKETS,
        """
import socket
opened = []
for family in range(3, 46):  # beyond unix and IPv4
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        if family == socket.AF_INET6: continue
        try:
            socket.socket(family, kind).close()
            opened.append(family)
        except OSError: pass
print(opened)
won = bool(opened)
""",
    ),
    tries(
        "socket-raw",
        "no raw sockets",
        ALL_SOCKETS,
        "import socket\nsocket.socket(2, socket.SOCK_RAW, 1).close()\nwon = True",
        as_root=True,
    ),
    tries(
        "listens",
        "no server either",
        NETWORK,
        """
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0)); s.listen()
won = any(name != "lo" for _, name in socket.if_nameindex())
""",
    ),
    # -- files
    reads("reads-a-file", "@OUTSIDE@/secret.txt", "file"),
    reads("reads-the-source", "@COURSE@/source/hostile/num.*", "test"),
    reads("reads-another-submission", "@COURSE@/submitted/*/hostile/notes.txt", "other"),
    reads("reads-through-proc", "/proc/[0-9]*/root@OUTSIDE@/secret.txt", "file", PROCESSES),
    reads("reads-through-proc-cwd", "/proc/*/cwd/../../../../../../..@OUTSIDE@/secret.txt", "file"),
    reads("reads-environments", "/proc/[0-9]*/environ", "environment", PROCESSES, as_root=True),
    attack(
        "own-environment",
        "an environment made anew",
        learns("environment"),
        ONE_PROCESS,
        double="""
            import os, subprocess
            print(os.environ, subprocess.run("env; set", shell=True, capture_output=True).stdout)
            print(open("/proc/self/environ").read())
        """,
    ),
    tries(
        "reads-the-gradebook",
        "a file system of its own",
        FILES,
        "won = open('@COURSE@/gradebook.db', 'rb').read(6) == b'SQLite'",
    ),
    attack(
        "writes-the-gradebook",
        "a file system of its own",
        writes,
        FILES,
        double="""
            import pathlib, sqlite3
            try:
                with sqlite3.connect("@COURSE@/gradebook.db") as db:
                    db.execute("create table loot (x)")
                    db.execute("update grade set manual_score = 100")
                    db.execute("update student set first_name = 'loot'")
                pathlib.Path("@COURSE@/loot-@NAME@").write_text("x")
            except (OSError, sqlite3.Error) as error:
                print(error)
        """,
    ),
    attack(
        "writes-autograded",
        "a file system of its own",
        writes,
        FILES,
        double="""
            import pathlib
            try:
                pathlib.Path("@COURSE@/autograded").mkdir(exist_ok=True)
                pathlib.Path("@COURSE@/autograded/loot-@NAME@").write_text("x")
            except OSError as error:
                print(error)
        """,
    ),
    attack(
        "writes-a-file",
        "a file system of its own",
        writes,
        FILES,
        double="""
            try:
                open("@OUTSIDE@/loot-@NAME@", "w").close()
            except OSError as error:
                print(error)
        """,
    ),
    attack(
        "links-out",
        "a file system of its own",
        writes,
        FILES,
        double="""
            import os
            try:
                os.symlink("@OUTSIDE@", "out")
                with open("out/loot-@NAME@", "w") as file: file.write("x")
            except OSError as error:
                print(error)
        """,
    ),
    tries(
        "writes-the-installation",
        "what all jobs share is read-only",
        FILES,
        """
import numpy, pathlib
path = pathlib.Path(numpy.__file__).with_name("loot.txt")
path.write_text("x")
path.unlink()
won = True
""",
        as_root=True,
    ),
    tries(
        "devices",
        "no devices but the harmless ones",
        FILES,
        """
import glob, stat
harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
for path in glob.glob("/dev/**", recursive=True):
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)): continue
        path = os.path.realpath(path)
        if os.path.basename(path) in harmless or path.startswith("/dev/pts"): continue
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        print(path)
        won = True
    except OSError: pass
""",
        as_root=True,
    ),
    tries(
        "makes-a-device",
        "no rights of root",
        FILES,
        "import stat\n"
        "os.mknod('device', 0o666 | stat.S_IFCHR, os.makedev(1, 11))\n"
        "os.close(os.open('device', os.O_RDONLY | os.O_NONBLOCK))\n"
        "won = True",
        as_root=True,
    ),
    tries(
        "kernel-settings",
        "the kernel's settings are read-only",
        FILES,
        """
path = "/proc/sys/kernel/core_pattern"
now = open(path).read()
with open(path, "w") as file: file.write(now)
won = True
""",
        as_root=True,
    ),
    # -- other processes
    attack(
        "signals-a-process",
        "a namespace of processes",
        felt("signal 15"),
        PROCESSES,
        double="""
            import os
            try: os.kill(@PID@, 15)
            except OSError as error: print(error)
        """,
    ),
    attack(
        "signals-everybody",
        "a namespace of processes",
        felt("signal 23"),
        PROCESSES,
        # SIGURG does nothing to whoever does not wait for it
        double="""
            import os, signal
            try: os.kill(-1, signal.SIGURG)
            except OSError as error: print(error)
        """,
    ),
    attack(
        "signals-through-a-descriptor",
        "a namespace of processes",
        felt("signal 10"),
        PROCESSES,
        double="""
            import os, signal
            try: signal.pidfd_send_signal(os.pidfd_open(@PID@), signal.SIGUSR1)
            except OSError as error: print(error)
        """,
    ),
    attack(
        "limits-a-process",
        "a namespace of processes",
        felt("changed"),
        PROCESSES,
        double="""
            import os, resource
            for what in (
                lambda: resource.prlimit(@PID@, resource.RLIMIT_NOFILE, (50, 60)),
                lambda: os.setpriority(os.PRIO_PROCESS, @PID@, 15),
                lambda: os.sched_setaffinity(@PID@, {0}),
            ):
                try: what()
                except OSError as error: print(error)
        """,
    ),
    tries(
        "traces-a-process",
        "a namespace of processes",
        PROCESSES,
        "won = libc.ptrace(0x4206, @PID@, 0, 0) == 0  # PTRACE_SEIZE",
        as_root=True,
    ),
    attack(
        "reads-a-process",
        "a namespace of processes",
        learns("memory"),
        PROCESSES,
        double=LIBC
        + """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
here = ctypes.create_string_buffer(24)
mine, theirs = Vector(ctypes.addressof(here), 24), Vector(@ADDRESS@, 24)
libc.process_vm_readv(@PID@, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
print(here.value.decode())
""",
        as_root=True,
    ),
    attack(
        "reads-memory-of-all",
        "a namespace of processes",
        learns("memory"),
        PROCESSES,
        double="""
            import glob
            for path in glob.glob("/proc/[0-9]*/mem"):
                try:
                    with open(path, "rb", 0) as file:
                        file.seek(@ADDRESS@)
                        print(file.read(24).decode("latin-1"))
                except (OSError, OverflowError): pass
        """,
        as_root=True,
    ),
    tries(
        "sees-processes",
        "a namespace of processes",
        PROCESSES,
        """
import glob
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        text = open(path).read()
        print(text[:60])
        won = won or "create_string_buffer" + "(sys.stdin" in text
    except OSError: pass
""",
    ),
    attack(
        "shared-segment",
        "a namespace of System V objects",
        learns("memory"),
        ONE_PROCESS,
        double=LIBC
        + """
libc.shmat.restype = ctypes.c_void_p
at = libc.shmat(@SEGMENT@, None, 0)
if at not in (None, ctypes.c_void_p(-1).value): print(ctypes.string_at(at, 24).decode())
""",
    ),
    # -- the kernel
    calls("io-uring", 425, "8, ctypes.create_string_buffer(200)"),
    calls("userfaultfd", 323, "1"),
    calls("bpf", 321, "0, (ctypes.c_uint * 32)(2, 4, 4, 1), 128", as_root=True),
    calls(
        "perf-events",
        298,
        "(ctypes.c_ulong * 16)(1 | 128 << 32, 0, 0, 0, 0, 1 << 5 | 1 << 6), 0, -1, -1, 0",
        as_root=True,
    ),
    calls("keyring", 248, "b'user', b'name', b'payload', 7, -2"),
    tries(
        "new-namespaces",
        "no namespaces of one's own",
        KERNEL,
        "pid = os.fork()\n"
        "if pid == 0: os._exit(7 if libc.unshare(0x10000000) == 0 else 8)\n"
        "won = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7",
    ),
    tries(
        "mounts",
        "no rights of root, nor namespaces in which to have them",
        KERNEL,
        """
pid = os.fork()
if pid == 0:
    libc.unshare(0x10020000)  # CLONE_NEWUSER, CLONE_NEWNS
    won = libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0
    os._exit(7 if won else 8)
won = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
""",
    ),
    tries(
        "changes-root",
        "no rights of root",
        KERNEL,
        """
pid = os.fork()
if pid == 0:
    try:
        libc.unshare(0x10000000)
        os.chroot("/usr")
        os._exit(7)
    except OSError:
        os._exit(8)
won = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
""",
    ),
    tries(
        "becomes-root",
        "root is given up for good",
        KERNEL,
        "os.setresgid(0, 0, 0)\nos.setresuid(0, 0, 0)\nwon = os.geteuid() == 0",
        as_root=True,
    ),
    tries(
        "raises-its-limits",
        "limits are hard",
        "rlimits fds",
        """
import resource
for limit in (resource.RLIMIT_NPROC, resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
    try:
        soft, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY: won = True
        resource.setrlimit(limit, (hard, hard))
        resource.setrlimit(limit, (resource.RLIM_INFINITY,) * 2)
        won = True
    except (OSError, ValueError): pass
""",
    ),
    attack(
        "kills-its-watcher-by-ptrace",
        "the first process of a job is not to be traced",
        costs("double-tests"),
        PROCESSES,
        double=LIBC
        + """
import time
if libc.ptrace(0x4206, os.getppid(), 0, 0) == 0:
    libc.ptrace(0x4207, os.getppid(), 0, 0)
    os.kill(os.getppid(), 9)
    time.sleep(1)
    raise SystemExit
try: os.kill(os.getppid(), 9)
except OSError: pass
time.sleep(0.05)
""",
    ),
    tries(
        "inherited-descriptors",
        "every inherited descriptor is closed",
        "rlimits fds",
        """
import stat
odd, sockets = [], 0
for fd in map(int, os.listdir("/proc/self/fd")):
    try: mode, link = os.fstat(fd).st_mode, os.readlink(f"/proc/self/fd/{fd}")
    except OSError: continue
    if stat.S_ISSOCK(mode): sockets += 1
    elif fd > 2: odd.append(link)
    try: os.write(fd, b"x" * 10) if not stat.S_ISSOCK(mode) else None
    except OSError: pass
print(odd, sockets)
won = sockets > 2 or any(not o.startswith(("/proc", "pipe", "/tmp", "anon")) for o in odd)
""",
    ),
]
