"""Attacks on memory, disk and the size of outputs.

Each stops by itself where nothing stops it, so that showing it unprotected does no harm.
"""

from attack import ONE_PROCESS, Attack, attack, says_won, stays

# of the course that these attacks are graded in; what they try goes beyond by half and more
CONFIG = """
c.Execute.timeout = 1
c.Limits.memory_mib = 256
c.Limits.disk_mib = 200
c.Limits.file_mib = 100
"""
MEMORY = "memory rlimits seccomp"
DISK = "disk rlimits"
KILLED_CELL = {"double-tests": "error timeout"}

ATTACKS: list[Attack] = [
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
