"""Refuse system calls that no notebook needs, with a seccomp filter written in classic BPF.

The list names what is refused, so that ordinary libraries keep working; a call newer than the
table in `kernel` gets ENOSYS, which the C library takes as "not there", and a call of another
machine's kind ends the process.
"""

import ctypes
import errno
import struct
from collections.abc import Iterable

from autograder.sandbox import kernel

REFUSED = {  # whatever the arguments are, by reason
    "looking into or changing other processes": (
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
        "pidfd_getfd"
    ),
    "much to attack in the kernel, and no use in a notebook": (
        "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
        "keyctl add_key request_key fanotify_init landlock_create_ruleset landlock_add_rule "
        "landlock_restrict_self"
    ),
    "other views of the machine": (
        "unshare setns mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen "
        "fsconfig fsmount fspick mount_setattr open_by_handle_at name_to_handle_at lookup_dcookie"
    ),
    "memory and messages that no limit counts": (
        "memfd_create memfd_secret shmget shmat shmctl msgget semget mq_open vmsplice"
    ),
    "the machine itself": (
        "acct adjtimex clock_adjtime clock_settime settimeofday create_module init_module "
        "finit_module delete_module get_kernel_syms query_module kexec_load kexec_file_load reboot "
        "swapon swapoff syslog quotactl quotactl_fd sethostname setdomainname vhangup nfsservctl "
        "iopl ioperm modify_ldt uselib ustat sysfs _sysctl migrate_pages move_pages"
    ),
}
NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWCGROUP
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
)
AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET = 1, 1, 5  # importing socket takes 3 ms
SOL_SOCKET, BUFFERS = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and their FORCE kinds
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
ASK_PERSONALITY = 0xFFFFFFFF
SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")

ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, EQUAL, ABOVE, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
NUMBER_AT, ARCHITECTURE_AT = 0, 4

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def _argument_at(index: int, high: bool = False) -> int:
    return 16 + 8 * index + 4 * high  # both machines are little-endian


def _fail(code: int) -> Instruction:
    return RETURN, 0, 0, FAIL | code


_ALLOW: Instruction = (RETURN, 0, 0, ALLOW)
_LOCAL = (
    (LOAD, 0, 0, _argument_at(0)),
    (EQUAL, 1, 0, AF_UNIX),
    _fail(errno.EPERM),
    _ALLOW,
)
_LOCAL_STREAM = (  # a datagram could be sent to a named socket without connecting
    (LOAD, 0, 0, _argument_at(0)),
    (EQUAL, 0, 3, AF_UNIX),
    (LOAD, 0, 0, _argument_at(1)),
    (AND, 0, 0, 0xF),
    (EQUAL, 2, 0, SOCK_STREAM),
    (EQUAL, 1, 0, SOCK_SEQPACKET),
    _fail(errno.EPERM),
    _ALLOW,
)


def _call(name: str, *body: Instruction) -> list[Instruction]:
    """Run `body` if the call has this name; a body that does not return goes on after it."""
    number = kernel.number(name)
    if number is None:
        return []
    return [(EQUAL, 0, len(body), number), *body]


def _given(
    name: str, index: int, test: int, operand: int, otherwise: bool = False
) -> list[Instruction]:
    """Refuse a call if its argument passes the test (with `otherwise`: unless it does)."""
    skip = (0, 1) if not otherwise else (1, 0)
    return _call(
        name,
        (LOAD, 0, 0, _argument_at(index)),
        (test, *skip, operand),
        _fail(errno.EPERM),
        _ALLOW,
    )


def program(
    network: bool = True, connect: bool = True, signals: Iterable[int] | None = None
) -> list[Instruction]:
    """Write the filter.

    network: refuse every socket but AF_UNIX. connect: allow connecting such sockets, which only
    makes sense where no socket of somebody else can be seen. signals: the only processes that may
    be signalled (0 is one's own group), None for any.
    """
    code: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 1, 0, ARCHITECTURE[kernel.MACHINE]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
        (ABOVE, 0, 1, kernel.NEWEST_CALL),
        _fail(errno.ENOSYS),
    ]
    for names in REFUSED.values():
        for name in names.split():
            code += _call(name, _fail(errno.EPERM))
    code += _call("clone3", _fail(errno.ENOSYS))  # its flags lie in memory; everybody falls back
    code += _given("clone", 0, ANY_BIT, NAMESPACES)
    code += _given("prlimit64", 0, EQUAL, 0, otherwise=True)
    code += _call(
        "ioctl",
        (LOAD, 0, 0, _argument_at(1)),
        (EQUAL, 1, 0, TIOCSTI),
        (EQUAL, 0, 1, TIOCLINUX),
        _fail(errno.EPERM),
        _ALLOW,
    )
    code += _call(
        "personality",
        (LOAD, 0, 0, _argument_at(0)),
        (EQUAL, 2, 0, 0),
        (EQUAL, 1, 0, ASK_PERSONALITY),
        _fail(errno.EPERM),
        _ALLOW,
    )
    code += _call(  # a socket's buffers are memory that no limit counts: theirs stay as they are
        "setsockopt",
        (LOAD, 0, 0, _argument_at(1)),
        (EQUAL, 0, len(BUFFERS) + 1, SOL_SOCKET),
        (LOAD, 0, 0, _argument_at(2)),
        *[(EQUAL, len(BUFFERS) - at, 0, option) for at, option in enumerate(BUFFERS)],
        _ALLOW,
        _fail(0),
        _ALLOW,
    )
    if network:
        for name in ("socket", "socketpair"):
            code += _call(name, *(_LOCAL if connect else _LOCAL_STREAM))
        if not connect:
            code += _call("connect", _fail(errno.EPERM))
    if signals is not None:
        allowed = list(signals)
        for name in SIGNALS:
            code += _call(
                name,
                (LOAD, 0, 0, _argument_at(0)),
                *[(EQUAL, len(allowed) - at, 0, pid) for at, pid in enumerate(allowed)],
                _fail(errno.EPERM),
                _ALLOW,
            )
        code += _call("pidfd_send_signal", _fail(errno.EPERM))
    code.append(_ALLOW)
    return code


def assemble(code: list[Instruction]) -> bytes:
    """Turn instructions into the kernel's form."""
    return b"".join(struct.pack("<HBBI", op, yes, no, k) for op, yes, no, k in code)


def restrict(filter_bytes: bytes) -> None:
    """Put the filter on this process and its children; no_new_privs must be set."""
    keep = ctypes.create_string_buffer(filter_bytes, len(filter_bytes))
    header = struct.pack("<HxxxxxxQ", len(filter_bytes) // 8, ctypes.addressof(keep))
    SECCOMP_SET_MODE_FILTER = 1
    kernel.syscall("seccomp", SECCOMP_SET_MODE_FILTER, 0, header)
