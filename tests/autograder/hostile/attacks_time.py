"""Attacks on time, and ways to end a process.

Each stops by itself where nothing stops it, so that showing it unprotected does no harm.
"""

from attack import ONE_PROCESS, Attack, attack, costs, earned

PROCESSES = "rlimits pids reap landlock seccomp uid"
LOST = {"double-tests": "error"}
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
                for _ in range(10**5): x = [x]
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
]
