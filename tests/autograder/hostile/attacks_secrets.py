"""Attacks on hidden tests: code that looks for them, and code that tells what it has seen."""

from attack import (
    ONE_PROCESS,
    Attack,
    attack,
    earned,
    is_told,
    learns,
)

NO_POINTS = {"double-tests": "failed error"}
SPLIT = "tests run in another process"

ATTACKS: list[Attack] = [
    # -- walking to the tests
    attack(
        "walks-frames",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import sys
            def double(x):
                if isinstance(x, int): return 2 * x
                frame = sys._getframe(1)
                while frame is not None:
                    if "expected" in frame.f_globals: return frame.f_globals["expected"]
                    frame = frame.f_back
                return 5
        """,
    ),
    attack(
        "reads-constants-of-frames",
        SPLIT,
        learns("test"),
        ONE_PROCESS,
        double="""
            import sys
            def double(x):
                frame = sys._getframe(1)
                while frame is not None:
                    ns = frame.f_globals
                    print(ns.get("In"), [v for v in frame.f_locals.values() if type(v) is str])
                    frame = frame.f_back
                return 2 * x
        """,
    ),
    attack(
        "reads-history",
        SPLIT,
        learns("test"),
        ONE_PROCESS,
        double="""
            import linecache
            def double(x):
                print(get_ipython().user_ns["In"], get_ipython().user_ns.get("_ih"))
                print([e[2] for e in linecache.cache.values() if len(e) == 4])
                return 2 * x
        """,
    ),
    attack(
        "walks-garbage",
        SPLIT,
        learns("test"),
        ONE_PROCESS,
        double="""
            import gc
            def double(x):
                key = "HIDDEN" + "_NOTE="
                for thing in gc.get_objects():
                    try:
                        values = list(thing.values()) if type(thing) is dict else list(thing) \\
                            if type(thing) in (list, tuple) else []
                    except Exception: continue
                    for value in values:
                        if type(value) is str and key in value:
                            print(value[value.index(key):][:80])
                return 2 * x
        """,
    ),
    attack(
        "reads-its-own-memory",
        "no ancestor of a student's process ever held a test",
        learns("test"),
        ONE_PROCESS,
        double="""
            import re
            def scan():
                key = b"HIDDEN" + b"_NOTE="
                with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
                    for line in maps:
                        if "rw" not in line: continue
                        first, last = (int(n, 16) for n in line.split()[0].split("-"))
                        if last - first > 1 << 28: continue
                        try:
                            memory.seek(first)
                            data = memory.read(last - first)
                        except OSError: continue
                        for hit in re.findall(key + rb"([0-9a-f]{24})", data): print(hit)
            scanned = []
            def double(x):
                if not scanned:
                    scanned.append(1)
                    scan()
                return 2 * x
        """,
    ),
    attack(
        "reads-memory-in-c",
        "no ancestor of a student's process ever held a test",
        learns("test"),
        ONE_PROCESS,
        double="""
            import ctypes, re
            def scan():
                key = b"HIDDEN" + b"_NOTE="
                for line in open("/proc/self/maps"):
                    if "rw-p" not in line: continue
                    first, last = (int(n, 16) for n in line.split()[0].split("-"))
                    if last - first > 1 << 27: continue
                    data = ctypes.string_at(first, last - first)
                    for hit in re.findall(key + rb"([0-9a-f]{24})", data): print(hit)
            scanned = []
            def double(x):
                if not scanned:
                    scanned.append(1)
                    scan()
                return 2 * x
        """,
    ),
    attack(
        "abuses-a-callback",
        "a function of the test is a handle that can be called and nothing else",
        learns("value"),
        ONE_PROCESS,
        {"apply-tests": "passed"},
        apply="""
            import gc
            def apply(f, xs):
                for look in (
                    lambda: f.__globals__["secret_table"],
                    lambda: f.__code__.co_consts,
                    lambda: f.__closure__,
                    lambda: f.__self__.__dict__,
                    lambda: [r["secret_table"] for r in gc.get_referrers(f) if type(r) is dict],
                    lambda: vars(f),
                    lambda: f.__reduce__(),
                    lambda: getattr(f, "__globals__"),
                    lambda: f.__call__.__self__.__globals__,
                    lambda: f(3) if False else None,
                ):
                    try: print(look())
                    except BaseException: pass
                return [f(x) for x in xs]
        """,
    ),
    attack(
        "asks-for-the-checkers-names",
        "requests go from the checker to the student, answers the other way",
        learns("value"),
        ONE_PROCESS,
        {"apply-tests": "passed"},
        apply="""
            import sys
            def apply(f, xs):
                for name in ("secret_table", "lookup"):
                    print(sys._getframe(1).f_globals.get(name), globals().get(name))
                return [f(x) for x in xs]
        """,
    ),
    # -- telling what was seen
    attack(
        "logs-and-raises-later",
        "of an error in a hidden test the type alone is told",
        is_told("input"),
        ONE_PROCESS,
        {"mean-tests": "error failed"},
        double="seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        mean="def mean(a):\n    raise ValueError(str(seen))",
    ),
    attack(
        "logs-and-asserts-later",
        "of an error in a hidden test the type alone is told",
        is_told("input"),
        ONE_PROCESS,
        {"mean-tests": "error failed"},
        double="seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        mean="def mean(a):\n    assert False, str(seen)",
    ),
    attack(
        "tells-by-the-name-of-an-error",
        "exceptions come back as builtin types",
        is_told("input"),
        ONE_PROCESS,
        {"mean-tests": "error failed"},
        double="seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        mean="""
            def mean(a):
                raise type("E" + "_".join(map(str, seen)), (ValueError,), {})()
        """,
    ),
    attack(
        "tells-in-its-own-cell",
        "of what is printed after the first hidden call nothing is told",
        is_told("input"),
        ONE_PROCESS,
        double="seen = []\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        own="print(seen)\nraise ValueError(str(seen))",
    ),
    attack(
        "tells-at-once",
        "of an error in a hidden test the type alone is told",
        is_told("input"),
        ONE_PROCESS,
        {"double-tests": "error failed"},
        double="""
            def double(x):
                if isinstance(x, int) and x > 10**10:
                    print(x)
                    raise ValueError(f"what is {x}?") from KeyError(x)
                return 2 * x
        """,
    ),
    attack(
        "tells-by-group-and-notes",
        "of an error in a hidden test the type alone is told",
        is_told("input"),
        ONE_PROCESS,
        {"double-tests": "error failed"},
        double="""
            def double(x):
                if isinstance(x, int) and x > 10**10:
                    error = ExceptionGroup(f"{x}", [ValueError(x)])
                    error.add_note(str(x))
                    raise error
                return 2 * x
        """,
    ),
    attack(
        "tells-by-a-warning",
        "of what is printed in a hidden test nothing is told",
        is_told("input"),
        ONE_PROCESS,
        double="""
            import sys, warnings
            def double(x):
                warnings.warn(f"{x}", stacklevel=1)
                sys.stderr.write(f"{x}")
                return 2 * x
        """,
    ),
]
