"""Attacks on the machine: time, processes, memory, disk, output, and what is left behind.

Each stops by itself where nothing stops it, so that showing it unprotected does no harm.
"""

from attack import ONE_PROCESS, Attack, attack, costs, earned, says_won, stays

# of the course that these attacks are graded in; what they try goes beyond by half and more
CONFIG = """
c.Execute.timeout = 1
c.Limits.memory_mib = 256
c.Limits.disk_mib = 200
c.Limits.file_mib = 100
"""
MEMORY = "memory rlimits seccomp"
DISK = "disk rlimits"
PROCESSES = "rlimits pids reap landlock seccomp uid"
LOST = {"double-tests": "error"}
KILLED_CELL = {"double-tests": "error timeout"}

FORK = """
    import ctypes, os, time
    def name(): ctypes.CDLL(None).prctl(15, b"@NAME@"[:15], 0, 0, 0)
"""

# a process that counts its CPU time, and gives the right answer after twice the limit
BUSY = "import time\ndef busy(): return time.process_time() < start + 1.8\nstart = 0\n"

ATTACKS: list[Attack] = [
    # -- time
    attack(
        "loop-plain",
        "the limit on CPU time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double=BUSY
        + """
def double(x):
    global start
    start = start or time.process_time()
    while busy():
        pass
    return 2 * x
""",
    ),
    attack(
        "loop-deaf-to-sigint",
        "the limit on CPU time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double=BUSY
        + """
import signal
def double(x):
    global start
    start = start or time.process_time()
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        try: signal.signal(number, signal.SIG_IGN)
        except OSError: pass
    while busy():
        pass
    return 2 * x
""",
    ),
    attack(
        "loop-swallows-everything",
        "the limit on CPU time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double=BUSY
        + """
def double(x):
    global start
    start = start or time.process_time()
    while busy():
        try:
            while busy():
                pass
        except BaseException:
            pass
    return 2 * x
""",
    ),
    attack(
        "loop-inside-c",
        "the limit on CPU time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            import collections, itertools
            spent = []
            def double(x):
                if not spent:
                    collections.deque(itertools.repeat(0, 2 * 10**9), maxlen=0)
                    spent.append(1)
                return 2 * x
        """,
    ),
    attack(
        "loop-inside-a-power",
        "the limit on CPU time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            spent = []
            def double(x):
                if not spent:
                    pow(7, 3 ** 3_500, 3 ** 10_000)
                    spent.append(1)
                return 2 * x
        """,
    ),
    attack(
        "loop-in-children",
        "the limit on CPU time counts all processes of a job",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            import os, time
            spent = []
            def double(x):
                if not spent:
                    for _ in range(2):
                        if os.fork() == 0:
                            while time.process_time() < 1.3: pass
                            os._exit(0)
                    for _ in range(2): os.wait()
                    spent.append(1)
                return 2 * x
        """,
    ),
    attack(
        "loop-in-orphans",
        "the limit on CPU time counts processes that left their parent",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            import os, time
            spent = []
            def double(x):
                if not spent:
                    spent.append(1)
                    for _ in range(3):
                        child = os.fork()
                        if child == 0:
                            os.setsid()
                            if os.fork() == 0:
                                while time.process_time() < 1: pass
                            os._exit(0)
                        os.waitpid(child, 0)
                    end = time.monotonic() + 2.5
                    while time.monotonic() < end:  # a little work, or it would count as waiting
                        sum(range(1_000_000))
                        time.sleep(0.1)
                return 2 * x
        """,
    ),
    attack(
        "sleeps",
        "the ceiling on wall time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            import time
            spent = []
            def double(x):
                if not spent:
                    time.sleep(2.5)
                    spent.append(1)
                return 2 * x
        """,
    ),
    attack(
        "stops-itself",
        "the ceiling on wall time",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double="""
            import os, signal, time
            spent = []
            def double(x):
                if not spent:
                    spent.append(1)
                    if os.fork() == 0:
                        time.sleep(2.5)
                        os.kill(os.getppid(), signal.SIGCONT)
                        os._exit(0)
                    os.kill(os.getpid(), signal.SIGSTOP)
                return 2 * x
        """,
    ),
    attack(
        "loop-under-an-odd-name",
        "the limit on CPU time, whatever a process calls itself",
        earned("double-tests"),
        "cpu",
        {"double-tests": "timeout"},
        double=BUSY
        + """
import ctypes
def double(x):
    global start
    start = start or time.process_time()
    ctypes.CDLL(None).prctl(15, b") Z 0 0 0\\n(", 0, 0, 0)
    while busy():
        pass
    return 2 * x
""",
    ),
    # -- endings
    attack(
        "exits",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="import os\nos._exit(0)\ndef double(x): return 2 * x",
    ),
    attack(
        "exits-when-called",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="import os\ndef double(x):\n    os._exit(0)",
    ),
    attack(
        "kills-itself",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="import os, signal\ndef double(x):\n    os.kill(os.getpid(), signal.SIGKILL)",
    ),
    attack(
        "kills-its-group",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="import os, signal\ndef double(x):\n    os.killpg(0, signal.SIGKILL)",
    ),
    attack(
        "kills-its-parent",
        "a namespace of processes, whose first one cannot be killed from inside",
        costs("double-tests"),
        PROCESSES,
        double="""
            import os, signal, time
            try:
                os.kill(os.getppid(), signal.SIGKILL)
            except OSError:
                pass
            time.sleep(0.05)
        """,
    ),
    attack(
        "segfault",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="import ctypes\ndef double(x):\n    return ctypes.string_at(1)",
    ),
    attack(
        "recursion-in-c",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="""
            import sys
            def double(x):
                sys.setrecursionlimit(10**9)
                x = []
                for _ in range(10**6): x = [x]
                return repr(x)
        """,
    ),
    attack(
        "recursion",
        "a crash costs one cell",
        costs("mean-tests"),
        ONE_PROCESS,
        LOST,
        double="""
            import functools, sys
            sys.setrecursionlimit(10**9)
            class Deep:
                def __getattr__(self, name): return getattr(self, name + "x"[:0])
            def double(x): return sorted([1, 2], key=lambda v: double(v))
        """,
    ),
    attack(
        "alarm-left-behind",
        "a crash costs one cell",
        costs("apply-tests"),
        ONE_PROCESS,
        # the cell that set it has come to its end: whichever runs at that time is lost
        {"double-tests": "passed error", "mean-tests": "passed error", "apply-tests": "passed"},
        double="import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.3)",
        mean="""
            import time
            end = time.monotonic() + 0.5
            def mean(a):
                time.sleep(max(0, end - time.monotonic()))
                return sum(a) / len(a)
        """,
    ),
    # -- processes
    attack(
        "fork-bomb",
        "the limit on processes",
        says_won,
        PROCESSES,
        {"double-tests": "passed error"},
        double=FORK
        + """
    count = 0
    try:
        for count in range(300):
            if os.fork() == 0:
                time.sleep(3)
                os._exit(0)
    except OSError:
        pass
    if count > 200: print(@WON@)
    """,
    ),
    attack(
        "thread-bomb",
        "the limit on processes, which counts threads",
        says_won,
        PROCESSES,
        {"double-tests": "passed error"},
        double="""
            import threading, time
            count = 0
            try:
                for count in range(300):
                    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
            except RuntimeError:
                pass
            if count > 200: print(@WON@)
        """,
    ),
    attack(
        "setsid-bomb",
        "the limit on processes, and the end of all of them with the job",
        stays,
        PROCESSES,
        {"double-tests": "passed error"},
        double=FORK
        + """
    try:
        for count in range(100):
            if os.fork() == 0:
                os.setsid()
                name()
                if os.fork() == 0:
                    time.sleep(40)
                os._exit(0)
            os.wait()
    except OSError:
        pass
    """,
    ),
    attack(
        "outlives-its-job",
        "the end of all processes with the job",
        stays,
        PROCESSES,
        double=FORK
        + """
    import signal
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            name()
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            for fd in range(3): os.close(fd)
            time.sleep(40)
        os._exit(0)
    os.wait()
    """,
    ),
    attack(
        "leaves-at-exit",
        "a job ends without running what the student registered",
        stays,
        ONE_PROCESS,
        double=FORK
        + """
    import atexit
    def leave():
        if os.fork() == 0:
            os.setsid()
            name()
            time.sleep(40)
            os._exit(0)
    atexit.register(leave)
    """,
    ),
    attack(
        "opens-many-files",
        "the limit on open files",
        says_won,
        PROCESSES,
        double="""
            import os
            opened = []
            try:
                while len(opened) < 2000: opened.append(os.open("/dev/null", os.O_RDONLY))
                print(@WON@)
            except OSError:
                pass
            for fd in opened: os.close(fd)
        """,
    ),
    # -- memory: 256 MiB is the limit
    attack(
        "memory-heap",
        "the limit on memory",
        says_won,
        MEMORY,
        KILLED_CELL | {"double-tests": "passed error"},
        double="""
            import time
            kept = []
            for _ in range(4):
                kept.append(bytearray(b"x") * (100 << 20))
            time.sleep(0.3)
            print(@WON@)
            del kept
        """,
    ),
    attack(
        "memory-mmap",
        "the limit on memory",
        says_won,
        MEMORY,
        KILLED_CELL | {"double-tests": "passed error"},
        double="""
            import mmap, time
            kept = []
            for _ in range(4):
                kept.append(mmap.mmap(-1, 100 << 20))
                for at in range(0, 100 << 20, 4096): kept[-1][at] = 1
            time.sleep(0.3)
            print(@WON@)
            del kept
        """,
    ),
    attack(
        "memory-memfd",
        "anonymous files are not to be had",
        says_won,
        MEMORY,
        {"double-tests": "passed error"},
        double="""
            import os
            kept = []
            for _ in range(4):
                kept.append(os.memfd_create("x"))
                for _ in range(100): os.write(kept[-1], bytes(1 << 20))
            print(@WON@)
            for fd in kept: os.close(fd)
        """,
    ),
    attack(
        "memory-of-children",
        "the limit on memory counts all processes of a job",
        says_won,
        MEMORY,
        {"double-tests": "passed error"},
        double="""
            import os, time
            children = []
            for _ in range(4):
                r, w = os.pipe()
                pid = os.fork()
                if pid == 0:
                    kept = bytearray(b"x") * (100 << 20)
                    os.write(w, b"1")
                    time.sleep(3)
                    os._exit(0)
                os.close(w)
                children.append((pid, r))
            full = [os.read(r, 1) for _, r in children]
            time.sleep(0.3)
            if full == [b"1"] * 4 and not any(os.waitpid(p, os.WNOHANG)[0] for p, _ in children):
                print(@WON@)
            for pid, r in children:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
        """,
    ),
    attack(
        "memory-shared",
        "the limit on memory counts System V segments",
        says_won,
        MEMORY,
        {"double-tests": "passed error"},
        double="""
            import ctypes, time
            libc = ctypes.CDLL(None, use_errno=True)
            libc.shmat.restype = ctypes.c_void_p
            got = 0
            for _ in range(4):
                segment = libc.shmget(0, 100 << 20, 0o1600)
                address = libc.shmat(segment, None, 0) if segment >= 0 else None
                libc.shmctl(segment, 0, None)
                if address in (None, ctypes.c_void_p(-1).value): break
                ctypes.memset(address, 1, 100 << 20)
                got += 1
            time.sleep(0.3)
            if got == 4: print(@WON@)
        """,
    ),
    # -- disk: 200 MiB, 100 MiB a file
    attack(
        "disk-of-one-file",
        "the limit on a file",
        says_won,
        DISK,
        {"double-tests": "passed error"},
        double="""
            import os, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                with open("big", "wb") as file:
                    for _ in range(150): file.write(bytes(1 << 20))
                print(@WON@)
            except OSError:
                pass
            os.remove("big")
        """,
    ),
    attack(
        "disk-of-many-files",
        "the limit on a job's disk",
        says_won,
        DISK,
        {"double-tests": "passed error"},
        double="""
            import os, tempfile
            written = []
            try:
                for number in range(4):
                    file, path = tempfile.mkstemp()
                    written.append(path)
                    for _ in range(90): os.write(file, bytes(1 << 20))
                    os.close(file)
                import time; time.sleep(0.3)
                print(@WON@)
            except OSError:
                pass
            for path in written: os.remove(path)
        """,
    ),
    attack(
        "disk-of-shm",
        "the limit on a job's disk holds for /dev/shm",
        says_won,
        DISK,
        {"double-tests": "passed error"},
        last_rung=1,
        double="""
            import os
            written = []
            try:
                for number in range(4):
                    written.append(f"/dev/shm/@NAME@-{number}")
                    with open(written[-1], "wb") as file:
                        for _ in range(90): file.write(bytes(1 << 20))
                import time; time.sleep(0.3)
                print(@WON@)
            except OSError:
                pass
            for path in written:
                if os.path.exists(path): os.remove(path)
        """,
    ),
    attack(
        "disk-of-inodes",
        "the limit on a job's disk counts empty files",
        says_won,
        DISK,
        {"double-tests": "passed error"},
        last_rung=1,
        double="""
            import os
            os.mkdir("many")
            count = 0
            try:
                for count in range(30_000):
                    os.close(os.open(f"many/{count}", os.O_CREAT | os.O_WRONLY))
            except OSError:
                pass
            if count == 29_999: print(@WON@)
        """,
    ),
    # -- output
    attack(
        "prints-100-mb",
        "the limit on output",
        lambda e: len(e.raw) > 30_000_000,
        ONE_PROCESS,
        {"double-tests": "passed error"},
        double="line = 'x' * 99_999\nfor _ in range(1000):\n    print(line)",
    ),
    attack(
        "prints-100-mb-of-lines",
        "the limit on output",
        lambda e: len(e.raw) > 10_000_000,
        ONE_PROCESS,
        {"double-tests": "passed error timeout"},
        double="""
            for _ in range(60): print("x\\n" * 100_000)
        """,
    ),
    attack(
        "writes-100-mb-to-descriptors",
        "the limit on output",
        lambda e: len(e.raw) + len(e.said) > 30_000_000 or stays(e),
        ONE_PROCESS,
        {"double-tests": "passed error"},
        double="""
            import os, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                for _ in range(100): os.write(1, b"x" * 10**6)
            except OSError:
                pass
            try:
                for _ in range(100): os.write(2, b"x" * 10**6)
            except OSError:
                pass
            print("x" * 31_000_000)
        """,
    ),
    attack(
        "child-prints-100-mb",
        "the limit on output",
        lambda e: len(e.raw) > 30_000_000,
        ONE_PROCESS,
        {"double-tests": "passed error timeout"},
        double="!yes 100 | head -c 40000000",
    ),
    attack(
        "many-outputs",
        "the limit on output",
        lambda e: e.raw.count('"output_type"') > 2_000,
        ONE_PROCESS,
        {"double-tests": "passed error timeout"},
        double="""
            from IPython.display import display
            for number in range(3000): display(number)
        """,
    ),
    attack(
        "error-of-100-mb",
        "the limit on output",
        lambda e: len(e.raw) + len(e.said) > 30_000_000,
        ONE_PROCESS,
        {"double-tests": "error"},
        double="""
            def double(x): return 2 * x
            del double
            raise ValueError("x" * 50_000_000)
        """,
    ),
]
