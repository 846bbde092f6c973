"""Each protection holds against its attack, and the attack succeeds with the protection off.

An attack is a function that runs in a job, raises when it is held back and returns something when
it got through.
"""

import contextlib
import ctypes
import errno
import functools
import mmap
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jail_harness import SMALL, SOMEBODY, Machine, attack, linux_root, protection

from autograder.sandbox import Limits, kernel

pytestmark = linux_root
USER = Machine(root=False)
SECRET = "hidden test"


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file that everybody on the machine may read and write, in a course folder."""
    course = Path("/var/tmp") / f"jail-course-{os.getpid()}"
    course.mkdir(mode=0o777)
    course.chmod(0o777)
    file = course / "secret"
    file.write_text(SECRET)
    file.chmod(0o666)
    yield file
    for left in course.iterdir():
        left.unlink()
    course.rmdir()


# files


def test_course_folder_is_not_there(secret: Path) -> None:
    for rung in (1, 2):
        assert attack(secret.read_text, protection(rung=rung), hide=[secret.parent]).held
    off = protection("world", "landlock")
    assert attack(secret.read_text, off, hide=[secret.parent]).value == SECRET


@pytest.mark.parametrize("off", ["world", "landlock"])
def test_world_and_landlock_each_hide_the_course(secret: Path, off: str) -> None:
    assert attack(secret.read_text, protection(off), hide=[secret.parent]).held


def test_hidden_folder_inside_python(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(secret.parent.parent))
    for rung in (1, 2):
        assert attack(secret.read_text, protection(rung=rung), hide=[secret.parent]).held
        assert attack(secret.read_text, protection(rung=rung)).value == SECRET


def test_python_inside_a_hidden_folder(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = secret.parent / "venv"
    python.mkdir()
    monkeypatch.setattr("sys.prefix", str(python))

    def look() -> list[bool]:
        return [python.is_dir(), secret.exists(), os.access(secret, os.R_OK)]

    try:
        assert attack(look, hide=[secret.parent]).value == [True, False, False]
        assert attack(secret.read_text, protection(rung=2), hide=[secret.parent]).held
        assert (
            attack(lambda: os.listdir(python), protection(rung=2), hide=[secret.parent]).value == []
        )
    finally:
        python.rmdir()


def test_hidden_file_inside_python(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(secret.parent))
    for rung in (1, 2):
        result = attack(secret.read_text, protection(rung=rung), hide=[secret])
        assert result.held or result.value == "", result


def test_nothing_outside_can_be_written(secret: Path) -> None:
    def write() -> int:
        return secret.write_text("forged")

    for rung in (1, 2):
        assert attack(write, protection(rung=rung)).held
    assert secret.read_text() == SECRET
    attack(write, protection("world", "landlock"))
    assert secret.read_text() == "forged"


def test_no_folder_but_ones_own_can_be_written() -> None:
    def places() -> list[str]:
        found = []
        for folder, _, _ in os.walk("/"):
            if not folder.startswith(("/proc", "/tmp")):
                with contextlib.suppress(OSError), open(f"{folder}/x", "w"):
                    found.append(folder)
        return found

    assert attack(places, protection("landlock", "seccomp")).value == []


def test_links_and_dots_lead_nowhere(secret: Path) -> None:
    def tricks() -> str:
        os.symlink(secret, "link")
        for path in ("link", f"../../../../..{secret}", f"/proc/self/root{secret}"):
            with contextlib.suppress(OSError):
                return Path(path).read_text()
        raise PermissionError

    for rung in (1, 2):
        assert attack(tricks, protection(rung=rung)).held
    assert attack(tricks, protection("world", "landlock")).value == SECRET


def test_raw_devices_and_kernel_files_are_closed() -> None:
    def opened() -> list[str]:
        found = []
        for path in ("/dev/vda", "/dev/sda", "/dev/mem", "/dev/kmsg", "/dev/tty", "/dev/ptmx"):
            with contextlib.suppress(OSError), open(path, "rb"):
                found.append(path)
        for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/hostname", "/proc/self/uid_map"):
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_WRONLY))
                found.append(path)
        with contextlib.suppress(OSError):
            os.mknod("null", 0o666 | 0o020000, os.makedev(1, 3))
            found.append("mknod")
        return found

    for rung in (1, 2):
        assert attack(opened, protection(rung=rung)).value == []


# the network


def _listener(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.bind(address)
    sock.listen()
    return sock


def _connect(family: socket.AddressFamily, address: Any) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect(address)
    return "connected"


@pytest.mark.parametrize("rung", [1, 2])
def test_loopback_is_closed(rung: int) -> None:
    with _listener(socket.AF_INET, ("127.0.0.1", 0)) as sock:
        reach = functools.partial(_connect, socket.AF_INET, sock.getsockname())
        assert attack(reach, protection(rung=rung)).held
        assert attack(reach, protection("seccomp", rung=rung)).held
        assert attack(reach, protection("network", rung=rung)).value == "connected"


@pytest.mark.parametrize("rung", [1, 2])
def test_abstract_sockets_are_closed(rung: int) -> None:
    name = f"\0jail-test-{os.getpid()}"
    with _listener(socket.AF_UNIX, name):
        reach = functools.partial(_connect, socket.AF_UNIX, name)
        assert attack(reach, protection(rung=rung)).held
        assert attack(reach, protection("seccomp", rung=rung)).held
        assert attack(reach, protection("network", rung=rung)).value == "connected"


def test_named_sockets_are_closed(secret: Path) -> None:
    name = str(secret.parent / "socket")
    with _listener(socket.AF_UNIX, name):
        os.chmod(name, 0o777)
        reach = functools.partial(_connect, socket.AF_UNIX, name)
        assert attack(reach).held
        assert attack(reach, protection(rung=2)).held
        assert attack(reach, protection("network", rung=2)).value == "connected"


def test_a_datagram_reaches_no_named_socket(secret: Path) -> None:
    name = str(secret.parent / "log")

    def send() -> int:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            return sock.sendto(b"hello", name)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(name)
        os.chmod(name, 0o777)
        assert attack(send).held
        assert attack(send, protection(rung=2)).held
        assert attack(send, protection("network", rung=2)).value == 5


@pytest.mark.parametrize("rung", [1, 2])
def test_no_other_kind_of_socket(rung: int) -> None:
    def families() -> list[int]:
        made = []
        for family in range(50):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
                with contextlib.suppress(OSError), socket.socket(family, kind):
                    made.append(family)
        return sorted(set(made))

    assert attack(families, protection(rung=rung)).value == [socket.AF_UNIX]
    assert len(attack(families, protection("network", rung=rung)).value) > 2


# other processes


def _others() -> list[int]:
    mine = {os.getpid(), os.getppid()}
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if int(name) not in mine and os.stat(f"/proc/{name}/cmdline"):
                found.append(int(name))
    if not found:
        raise ProcessLookupError
    return found


def test_other_processes_cannot_be_seen() -> None:
    assert attack(_others).held
    assert attack(_others, protection(rung=2)).held
    assert attack(_others, protection("pids", "landlock")).value


@pytest.fixture
def victim() -> Iterator[int]:
    """Somebody else's process, of the ordinary user that runs the grader."""
    with subprocess.Popen(["sleep", "60"], user=SOMEBODY, group=SOMEBODY) as process:
        yield process.pid
        process.kill()


def test_other_processes_cannot_be_signalled(victim: int) -> None:
    def stop() -> str:
        os.kill(victim, 0)
        return "signalled"

    for kept in (protection(), protection(rung=2), protection(rung=2, abi=5)):
        assert attack(stop, kept, machine=USER).held
    off = protection("seccomp", rung=2, abi=5)
    assert attack(stop, off, machine=USER).value == "signalled"
    off = protection("pids", "landlock", "seccomp")
    assert attack(stop, off, machine=USER).value == "signalled"


@pytest.mark.parametrize("rung", [1, 2])
def test_the_reaper_cannot_be_killed(rung: int) -> None:
    def shoot() -> str:
        for target in (os.getppid(), 1, -1):
            for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
                if (rung, target) != (2, -1):  # would be everybody of this user
                    with contextlib.suppress(OSError):
                        os.kill(target, number)
        return "survived"

    for abi in (99, 5):
        result = attack(shoot, protection(rung=rung, abi=abi), machine=USER)
        assert (result.value, result.status) == ("survived", 0), result


def test_memory_of_others_is_closed(victim: int) -> None:
    def look(pid: int, name: str) -> str:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return repr(file.read(1))

    for rung, pid in ((1, 1), (2, 1), (2, victim)):
        for off in ((), ("seccomp",)):
            for name in ("mem", "environ", "maps", "cwd/.", "root/etc/passwd"):
                reader = functools.partial(look, pid, name)
                result = attack(reader, protection(*off, rung=rung), machine=USER)
                assert result.held, (rung, off, name, result)
    reader = functools.partial(look, victim, "environ")
    assert attack(reader, protection("landlock", rung=2), machine=USER).value


@pytest.mark.parametrize("machine", [Machine(), USER], ids=str)
def test_the_reaper_cannot_be_read_even_without_landlock(machine: Machine) -> None:
    def look() -> str:
        with open("/proc/1/mem", "rb") as file:
            return repr(file)

    assert attack(look, protection("landlock", "seccomp"), machine=machine).held


def _daemon() -> str:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(0.5)
            for fd in range(3, 64):
                with contextlib.suppress(OSError):
                    os.write(fd, b'["value", "late"]\n')
        os._exit(0)
    os.wait()
    return "early"


@pytest.mark.parametrize("rung", [1, 2, 3])
def test_nothing_outlives_the_job(rung: int) -> None:
    assert attack(_daemon, protection(rung=rung)).value == "early"
    assert attack(_daemon, protection("pids", "reap", rung=rung)).value == "late"


def test_killing_the_reaper_from_outside_ends_everything() -> None:
    def kill(reaper: int) -> None:
        time.sleep(0.3)
        os.kill(reaper, signal.SIGKILL)

    def linger() -> None:
        _daemon()
        time.sleep(30)

    result = attack(linger, around=kill)
    assert (result.value, result.status) == (None, -signal.SIGKILL)
    assert result.seconds < 5


@pytest.mark.parametrize("rung", [1, 2, 3])
def test_an_interrupt_reaches_the_job(rung: int) -> None:
    def interrupt(reaper: int) -> None:
        time.sleep(0.3)
        os.kill(reaper, signal.SIGINT)

    def wait() -> str:
        try:
            time.sleep(30)
        except KeyboardInterrupt:
            return "interrupted"
        return "slept"

    assert attack(wait, protection(rung=rung), around=interrupt).value == "interrupted"


@pytest.mark.parametrize("rung", [1, 2, 3])
def test_the_job_dies_with_its_zygote(rung: int) -> None:
    def die(reaper: int) -> None:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)

    def linger() -> None:
        _daemon()
        time.sleep(30)

    start = time.monotonic()
    result = attack(linger, protection(rung=rung), around=die)
    assert (result.value, result.status) == (None, -1)  # nobody was left to tell
    assert time.monotonic() - start < 10


def test_exit_statuses_come_through() -> None:
    assert attack(lambda: os._exit(7)).status == 7
    assert attack(lambda: os.kill(os.getpid(), signal.SIGKILL)).status == 128 + signal.SIGKILL


# system calls


def _call(number: int, *args: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    wide = [ctypes.c_long(arg) for arg in (number, *args)]
    result: int = libc.syscall(*wide)
    return -ctypes.get_errno() if result < 0 else result


def _named(name: str) -> int:
    number = kernel.number(name)
    assert number is not None
    return number


def _refused() -> dict[str, int]:
    from autograder.sandbox import seccomp

    names = " ".join(seccomp.REFUSED.values()).split()
    known = [name for name in names if kernel.number(name) is not None]
    return {name: _call(_named(name), *[-1] * 6) for name in known}


@pytest.mark.parametrize("rung", [1, 2])
def test_refused_system_calls(rung: int) -> None:
    codes = attack(_refused, protection(rung=rung)).value
    assert set(codes.values()) == {-errno.EPERM}, codes
    assert len(codes) > 60
    open_codes = attack(_refused, protection("seccomp", rung=rung)).value
    assert sum(code != -errno.EPERM for code in open_codes.values()) > 25


CALLS: dict[str, tuple[Callable[[], int], int]] = {  # -> with the filter; without: something else
    "clone into a namespace": (
        lambda: _call(_named("clone"), kernel.CLONE_NEWUSER | signal.SIGCHLD) or os._exit(0),  # type: ignore[func-returns-value]
        -errno.EPERM,
    ),
    "clone3": (lambda: _call(_named("clone3"), 0, 0), -errno.ENOSYS),
    "a call newer than we know": (lambda: _call(kernel.NEWEST_CALL + 1000), -errno.ENOSYS),
    "push input into a terminal": (lambda: _call(_named("ioctl"), 0, 0x5412, 0), -errno.EPERM),
    "personality": (lambda: _call(_named("personality"), 0x0040000), -errno.EPERM),
    "limits of another process": (
        lambda: _call(_named("prlimit64"), 2**31 - 1, 0, 0, 0),
        -errno.EPERM,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_refused_by_argument(name: str) -> None:
    function, code = CALLS[name]
    assert attack(function).value == code
    if name != "a call newer than we know":
        assert attack(function, protection("seccomp", "landlock")).value != code


@pytest.mark.skipif(kernel.MACHINE != "x86_64", reason="only this machine has a second kind")
def test_calls_of_another_kind() -> None:
    def old_style() -> int:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # getpid by int 0x80
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)()

    assert attack(old_style).status == 128 + signal.SIGSYS
    assert attack(lambda: _call(0x40000000 | 39)).value == -errno.ENOSYS
    without = attack(old_style, protection("seccomp"))
    assert without.value == 2 or without.status == 128 + signal.SIGSEGV  # a kernel without it


# limits


def _bomb() -> int:
    count = 0
    while count < 40:
        try:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        except BlockingIOError:
            break
        count += 1
    return count


@pytest.mark.parametrize("machine", [Machine(), Machine(user_namespaces=False), USER], ids=str)
def test_processes_are_counted_for_this_job_alone(machine: Machine) -> None:
    assert attack(_bomb, machine=machine).value == SMALL.processes - 1
    assert attack(_bomb, protection("rlimits"), machine=machine).value == 40


@pytest.mark.parametrize("machine", [Machine(), USER], ids=str)
def test_processes_are_bounded_on_rung_2(machine: Machine) -> None:
    assert attack(_bomb, protection(rung=2), machine=machine).value <= SMALL.processes + 2
    assert attack(_bomb, protection("rlimits", rung=2), machine=machine).value == 40


def test_threads_are_counted() -> None:
    def threads() -> int:
        count = 0
        with contextlib.suppress(RuntimeError):
            while count < 40:
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
                count += 1
        return count

    assert attack(threads).value == SMALL.processes - 1
    assert attack(threads, protection("rlimits")).value == 40


def test_one_process_cannot_take_all_memory() -> None:
    def take() -> int:
        return len(mmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))

    assert attack(take).held
    assert attack(take, protection("rlimits")).value == 4 << 30


def _fill_sockets(pairs: int = 100) -> int:
    """Leave data in sockets, where no process's memory shows it; returns bytes."""
    held, total = [], 0
    for _ in range(pairs):
        held += socket.socketpair()
        for end in held[-2:]:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            with contextlib.suppress(BlockingIOError):
                while True:
                    total += end.send(bytes(60_000))
    return total


def test_sockets_hold_little_memory() -> None:
    room = Limits()
    most = 2 * 200 * 212_992  # twice what the kernel gives them
    for rung in (1, 2):
        assert 0 < attack(_fill_sockets, protection(rung=rung), limits=room).value < most
        value = attack(_fill_sockets, protection("seccomp", rung=rung), limits=room).value
        assert value > 2 * most


def test_sockets_nobody_accepted() -> None:
    def queue_up() -> str:
        for name in range(10):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"s{name}")
            listener.listen(10_000)
            for _ in range(100):
                with socket.socket(socket.AF_UNIX) as sock:  # what it sent stays
                    sock.connect(f"s{name}")
                    sock.send(bytes(100_000))
            globals()[f"kept {name}"] = listener
        time.sleep(2)
        return "100 MB"

    small = Limits(memory_mib=64)
    assert attack(queue_up, limits=small).status == 128 + signal.SIGKILL
    assert attack(queue_up, protection("memory"), limits=small).value == "100 MB"


def test_big_files() -> None:
    def write() -> int:
        with open("big", "wb") as file:
            file.truncate((SMALL.file_mib + 1) << 20)
        return os.stat("big").st_size

    assert attack(write).held
    assert attack(write, protection("rlimits")).value > SMALL.file_mib << 20


def test_the_disk_is_small() -> None:
    def fill() -> int:
        total = 0
        for count in range(24):
            with open(f"/dev/shm/{count}" if count % 2 else str(count), "wb") as file:
                total += file.write(bytes(1 << 20))
        return total

    assert attack(fill).held
    assert attack(fill, protection("disk")).value == 24 << 20


def test_many_small_files() -> None:
    def fill() -> int:
        for count in range(4000):
            os.close(os.open(f"f{count}", os.O_CREAT | os.O_WRONLY))
        return count

    assert attack(fill).held
    assert attack(fill, protection("disk")).value == 3999


def test_limits_cannot_be_raised() -> None:
    import resource

    def raise_it() -> str:
        resource.setrlimit(resource.RLIMIT_NPROC, (10000, 10000))
        return "raised"

    for rung in (1, 2, 3):
        assert attack(raise_it, protection(rung=rung)).held


def test_processor_seconds() -> None:
    def spin() -> None:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    result = attack(spin, limits=Limits(cpu_s=1))
    assert result.status == 128 + signal.SIGKILL
    assert result.seconds < 20


# descriptors, rights, user


def test_inherited_descriptors_are_closed(secret: Path) -> None:
    def leak() -> None:
        os.dup2(os.open(secret, os.O_RDONLY), 50)

    def steal() -> str:
        return os.read(50, 100).decode()

    for rung in (1, 2, 3):
        assert attack(steal, protection(rung=rung), before=leak).held
        assert attack(steal, protection("fds", rung=rung), before=leak).value == SECRET


def _status(field: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line for line in lines if line.startswith(field)).split()[1]


def test_root_is_dropped() -> None:
    for rung in (1, 2, 3):
        assert attack(os.getuid, protection(rung=rung)).value not in (0, None)
        assert attack(os.getuid, protection("uid", rung=rung)).value == 0
        assert attack(lambda: os.setuid(0), protection(rung=rung)).held


def test_two_jobs_have_two_users() -> None:
    machine = Machine(user_namespaces=False)
    assert attack(os.getuid, machine=machine).value != attack(os.getuid, machine=machine).value


def test_no_capability_is_left() -> None:
    for machine in (Machine(), Machine(user_namespaces=False), USER):
        for field in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
            value = attack(functools.partial(_status, field), machine=machine).value
            assert int(value, 16) == 0, (machine, field)
    assert int(attack(lambda: _status("CapEff"), protection("caps")).value, 16)


def test_capabilities_would_allow_mounts() -> None:
    def mount() -> str:
        kernel.mount("tmpfs", "/tmp/work", "tmpfs")
        return "mounted"

    for off in (("seccomp", "landlock"), ("caps", "landlock"), ("caps", "seccomp")):
        assert attack(mount, protection(*off)).held
    assert attack(mount, protection("caps", "seccomp", "landlock")).value == "mounted"


def test_no_program_gives_new_rights() -> None:
    for rung in (1, 2, 3):
        assert attack(lambda: _status("NoNewPrivs"), protection(rung=rung)).value == "1"


def test_the_job_dies_first_when_memory_runs_out() -> None:
    assert attack(Path("/proc/self/oom_score_adj").read_text).value.strip() == "1000"


def test_environment_and_input() -> None:
    def look() -> list[Any]:
        return [os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"], os.read(0, 10).decode()]

    assert attack(look).value == ["/tmp/work", "/tmp/home", "/tmp/tmp", ""]


@pytest.mark.parametrize("rung", [2, 3])
def test_no_file_is_left_behind(rung: int) -> None:
    name = f"/dev/shm/jail-left-{os.getpid()}"

    def leave() -> str:
        Path(name).write_text("still here")
        if rung == 3:
            os.makedirs(f"/var/tmp/jail-left-{os.getuid()}/a/b")
        return f"/var/tmp/jail-left-{os.getuid()}"

    folder = attack(leave, protection(rung=rung)).value
    assert not os.path.exists(name) and not os.path.exists(folder)


def _leave_a_child() -> int:
    if os.fork() == 0:
        os.setsid()
        time.sleep(300)
    return os.getpid()


@pytest.mark.parametrize("machine", [Machine(root=True), USER], ids=["root", "user"])
def test_a_job_without_a_reaper_is_as_confined(machine: Machine) -> None:
    """The checker's: it is process 1 itself, and its end is the end of all."""

    def reach() -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)

    assert attack(_others, machine=machine, reaped=False).held
    assert attack(reach, machine=machine, reaped=False).held
    assert attack(lambda: Path("/usr/x").write_text("x"), machine=machine, reaped=False).held
    assert attack(lambda: Path("/etc/shadow").read_text(), machine=machine, reaped=False).held
    left = attack(_leave_a_child, machine=machine, reaped=False)
    assert left.value == 1 and left.seconds < 20
    interrupted = attack(
        lambda: time.sleep(60),
        machine=machine,
        reaped=False,
        around=lambda job: (time.sleep(1), os.kill(job, signal.SIGINT))[1],
    )
    assert "KeyboardInterrupt" in interrupted.error and interrupted.seconds < 20
    elsewhere = attack(os.getppid, protection(rung=2), machine=machine, reaped=False)
    assert elsewhere.value is not None  # no namespace to end it with: it has a reaper all the same
