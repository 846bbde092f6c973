"""Attacks by processes, and by what is left behind.

Each stops by itself where nothing stops it, so that showing it unprotected does no harm.
"""

from attack import ONE_PROCESS, Attack, attack, says_won, stays

PROCESSES = "rlimits pids reap landlock seccomp uid"
FORK = """
    import ctypes, os, time
    def name(): ctypes.CDLL(None).prctl(15, b"@NAME@"[:15], 0, 0, 0)
"""

ATTACKS: list[Attack] = [
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
        for count in range(150):
            if os.fork() == 0:
                time.sleep(3)
                os._exit(0)
    except OSError:
        pass
    if count > 100: print(@WON@)
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
]
