"""Call the Linux kernel where Python has no function for it.

Everything here is a thin layer of ctypes; what is done with it stands in the modules beside this.
On another system the module imports and `SUPPORTED` is false.
"""

import contextlib
import ctypes
import os
import signal
import sys

MACHINE = os.uname().machine if hasattr(os, "uname") else ""
SUPPORTED = sys.platform == "linux" and MACHINE in ("x86_64", "aarch64")

# Numbers of system calls that the two machines do not share: (x86_64, aarch64), None where it is
# missing. From 424 on they are the same.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "capset": (126, 91),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "connect": (42, 203),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "seccomp": (317, 277),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setsockopt": (54, 208),
    "settimeofday": (164, 170),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
    "vmsplice": (278, 75),
}
NEWEST_CALL = 467  # the newest system call this table was written for

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_INTO_CGROUP = 1 << 33

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 1, 4, 24, 28
PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 8, 36, 38, 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_ADMIN, CAP_LAST = 2, 5, 21, 63

if SUPPORTED:
    _libc = ctypes.CDLL(None, use_errno=True)
    _python = ctypes.PyDLL(None, use_errno=True)  # keeps the interpreter lock


def number(name: str) -> int | None:
    """Return the number of a system call on this machine, None where it has no such call."""
    return NUMBERS[name][0 if MACHINE == "x86_64" else 1]


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(name: str, *args: int | bytes | None | ctypes.Array[ctypes.c_char]) -> int:
    """Make a system call by name; a failure is an OSError that names it."""
    wide = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return _checked(_libc.syscall(ctypes.c_long(number(name) or -1), *wide), name)


def prctl(option: int, value: int = 0, third: int = 0, fourth: int = 0, fifth: int = 0) -> int:
    """Call prctl."""
    args = [ctypes.c_ulong(arg) for arg in (value, third, fourth, fifth)]
    return _checked(_libc.prctl(ctypes.c_int(option), *args), f"prctl {option}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Call mount; the error names the target."""
    done = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(done, f"mount {kind or 'bind'} on {target}")


def set_mount(target: str, attributes: int) -> None:
    """Set attributes (read-only, nosuid, nodev) of a mount and of all that is mounted below it."""
    AT_RECURSIVE = 0x8000
    wanted = attributes.to_bytes(8, sys.byteorder) + bytes(24)
    syscall("mount_setattr", -100, os.fsencode(target), AT_RECURSIVE, wanted, len(wanted))


def clone(flags: int, cgroup: int | None = None) -> int:
    """Fork with namespace flags, into a cgroup if its folder's descriptor is given.

    It is for a child that does little but fork again with os.fork: neither the C library nor Python
    hears of this one. Both sides go on as if nothing had happened, which is right for a process of
    one thread, and spares the child 300 copied pages of hooks that the next fork runs anyway.
    """
    if cgroup is None:
        name, args = "clone", [flags | signal.SIGCHLD, 0, 0, 0, 0]
    else:
        fields = [flags | CLONE_INTO_CGROUP, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, cgroup]
        wanted = (ctypes.c_uint64 * len(fields))(*fields)
        name, args = "clone3", [ctypes.addressof(wanted), ctypes.sizeof(wanted)]
    words = [ctypes.c_long(arg) for arg in (number(name) or -1, *args)]
    return _checked(_python.syscall(*words), name)


def bound_capabilities(keep: int = 0) -> None:
    """Let no later program regain a capability that is not in the mask `keep`."""
    for capability in range(CAP_LAST + 1):
        if not keep >> capability & 1 and _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # the first one this kernel does not know, or we may not drop any


def set_capabilities(keep: int = 0) -> None:
    """Give up every capability but those in the mask `keep`, which later programs inherit too."""
    bound_capabilities(keep)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    version_3, low, high = 0x20080522, keep & 0xFFFFFFFF, keep >> 32
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, low, high, high, high)
    _checked(_libc.capset(header, data), "capset")
    for capability in range(CAP_LAST + 1) if keep else ():
        if keep >> capability & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def capabilities() -> int:
    """Return the mask of capabilities in effect."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"CapEff:"):
                return int(line.split()[1], 16)
    return 0


def advise(start: int, length: int, advice: int) -> None:
    """Call madvise; a refusal is no matter."""
    _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), ctypes.c_int(advice))


def close_descriptors(keep: set[int]) -> None:
    """Close every descriptor but those in `keep`."""
    low = 0
    for descriptor in (*sorted(keep), 1 << 31):
        if descriptor > low:
            _close_range(low, descriptor - 1)
        low = descriptor + 1


def _close_range(low: int, high: int) -> None:
    with contextlib.suppress(OSError):
        if SUPPORTED:
            syscall("close_range", low, high, 0)
            return
    for name in os.listdir("/dev/fd"):  # not closerange(): it would try two billion numbers
        if low <= int(name) <= high:
            with contextlib.suppress(OSError):
                os.close(int(name))
