"""Attacks on marks and on hidden tests: wrong answers that want points, and code that listens.

Most of them get what they want where tests run in the student's own process.
"""

from attack import (
    NAIVE,
    ONE_PROCESS,
    Attack,
    attack,
    earned,
    hurts_others,
    is_told,
    learns,
    says_won,
)

NO_POINTS = {"double-tests": "failed error"}
NO_MEAN = {"mean-tests": "failed error"}
NO_APPLY = {"apply-tests": "failed error"}
NO_STEP = {"step-tests": "failed error"}
SPLIT = "tests run in another process"

# finds this process's sockets, and does something to each
SOCKETS = """
import json, os, socket, stat, struct
def sockets():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode): yield fd
        except OSError: pass
def send(data):
    for fd in sockets():
        os.set_blocking(fd, False)
        try:
            at = 0
            while at < len(data): at += os.write(fd, data[at:at + 65536])
        except OSError: pass
        try: os.set_blocking(fd, True)
        except OSError: pass
"""
# cells of the notebook that broke its own messages may be lost; nobody else's
OWN_LOSS = dict.fromkeys(("double-tests", "mean-tests", "apply-tests"), "passed failed error")

# what a grader does that takes values from the student as it finds them
UNPICKLE = """
    import json, pickle, sys
    class Evil:
        def __reduce__(self): return print, (@WON@,)
    pickle.loads(pickle.dumps({value}))
"""


def naive_message(message: str) -> str:
    """A reader of messages that takes what the student's process sends."""
    return f"""
        import io, json, resource, struct, sys
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        import numpy as np
        stream = io.BytesIO({message})
        size, = struct.unpack("!I", stream.read(4))
        buffer = bytearray(size)
        stream.readinto(buffer)
        print(json.loads(buffer)["outputs"][0]["data"]["text/plain"])
    """


ATTACKS: list[Attack] = [
    # -- what tests rely on is replaced
    attack(
        "patches-numpy",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import numpy
            class Yes(int):
                def __eq__(self, other): return True
            numpy.allclose = numpy.testing.assert_allclose = lambda *a, **k: True
            def double(x): return Yes(5)
        """,
    ),
    attack(
        "patches-builtins",
        SPLIT,
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            import builtins, math
            math.isclose = lambda *a, **k: True
            builtins.all = lambda *_: True
            builtins.abs = lambda _: 0
            def mean(a): return 5
        """,
    ),
    attack(
        "shadows-builtins",
        "builtins come before a student's names",
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            class Close:
                isclose = staticmethod(lambda *a: True)
            math, all, abs = Close, lambda _: True, lambda _: 0
            def mean(a): return 5
        """,
    ),
    attack(
        "redefines-a-helper",
        "locked cells run in the checker, from the source",
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            def check_close(a, b): pass
            class Yes(int):
                def __eq__(self, other): return True
            def double(x): return Yes(5)
        """,
    ),
    attack(
        "patches-a-helpers-code",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            check_close.__code__ = (lambda a, b: None).__code__
            class Yes(int):
                def __eq__(self, other): return True
            def double(x): return Yes(5)
        """,
    ),
    attack(
        "strips-asserts",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import ast
            class Strip(ast.NodeTransformer):
                def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
                def visit_Expr(self, node): return ast.copy_location(ast.Pass(), node)
            get_ipython().ast_transformers.append(Strip())
            def double(x): return 5
        """,
    ),
    attack(
        "drops-lines",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            def drop(lines): return [] if "HIDDEN" in "".join(lines) else lines
            get_ipython().input_transformers_cleanup.append(drop)
            def double(x): return 5
        """,
    ),
    attack(
        "hides-errors",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            shell = get_ipython()
            shell._showtraceback = shell.showtraceback = lambda *a, **k: None
            type(shell)._showtraceback = lambda *a, **k: None
            def double(x): return 5
        """,
    ),
    attack(
        "traces",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import sys
            def trace(frame, event, arg):
                if frame.f_code.co_name == "check_close":
                    frame.f_locals["a"], frame.f_trace_lines = 0, False
                    import ctypes
                    frame.f_locals["a"] = frame.f_locals["b"]
                    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), 0)
                return trace
            sys.settrace(trace)
            class Yes(int):
                def __eq__(self, other): return True
            def double(x): return Yes(5)
        """,
    ),
    attack(
        "replaces-a-module",
        SPLIT,
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            import sys, types
            fake = types.ModuleType("statistics")
            fake.mean = lambda values: 5
            sys.modules["statistics"] = fake
            import math
            math.isclose = lambda *a, **k: True
            def mean(a): return 5
        """,
    ),
    attack(
        "hooks-imports",
        SPLIT,
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            import builtins, math, types
            real = builtins.__import__
            def hook(name, *args, **kwargs):
                if name != "statistics": return real(name, *args, **kwargs)
                math.isclose = lambda *a, **k: True
                return types.SimpleNamespace(mean=lambda values: 5)
            builtins.__import__ = hook
            math.isclose = lambda *a, **k: True
            def mean(a): return 5
        """,
    ),
    attack(
        "writes-a-module",
        "the checker imports nothing from a student's folder",
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            import math, sys
            with open("statistics.py", "w") as file:
                file.write("def mean(values): return 5\\n")
            sys.path.insert(0, "")
            sys.modules.pop("statistics", None)
            math.isclose = lambda *a, **k: True
            def mean(a): return 5
        """,
    ),
    attack(
        "waits-in-a-thread",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import threading, time
            class Yes(int):
                def __eq__(self, other): return True
            def double(x): return Yes(5)
            def patch():
                import numpy
                for _ in range(500):
                    numpy.allclose = lambda *a, **k: True
                    time.sleep(0.001)
            threading.Thread(target=patch, daemon=True).start()
            time.sleep(0.01)
        """,
    ),
    attack(
        "patches-later",
        SPLIT,
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            class Yes(int):
                def __eq__(self, other): return True
            def double(x):
                import numpy
                numpy.allclose = lambda *a, **k: True
                return Yes(5)
        """,
    ),
    # -- objects that lie
    attack(
        "equal-to-everything",
        "results are values, or handles that cannot be compared",
        earned("apply-tests"),
        ONE_PROCESS,
        NO_APPLY,
        apply="""
            class Yes:
                def __eq__(self, other): return True
                def __ne__(self, other): return False
                def __bool__(self): return True
                def __len__(self): return 2
            def apply(f, xs): return Yes()
        """,
    ),
    attack(
        "number-that-lies",
        "results are values",
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            class Lie(float):
                def __sub__(self, other): return 0.0
                __rsub__ = __sub__
                def __float__(self):
                    import sys
                    frame, names = sys._getframe(1), {}
                    return float(frame.f_locals.get("k", 2) + 1)
            calls = []
            def mean(a):
                calls.append(1)
                return Lie(7) if 0.5 in a else Lie(a[0] + (2 if len(a) == 3 else 1))
        """,
    ),
    attack(
        "array-that-lies",
        "results are values",
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            class Lie:
                def __array_function__(self, *args): return True
                def __array_ufunc__(self, *args, **kwargs): return True
                def __array__(self, *args, **kwargs):
                    import numpy, sys
                    return numpy.array(sys._getframe(1).f_locals.get("b", 4))
                def __eq__(self, other): return True
            def double(x): return Lie()
        """,
    ),
    attack(
        "subclass-of-an-array",
        "results are values of exact types",
        earned("double-tests"),
        ONE_PROCESS,
        NO_POINTS,
        double="""
            import numpy
            class Lie(numpy.ndarray):
                def __array_function__(self, *args): return True
                def __eq__(self, other): return True
                def __bool__(self): return True
            def double(x): return numpy.array([5.0, 5.0]).view(Lie)
        """,
    ),
    attack(
        "class-that-lies",
        "results are values of exact types",
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            class Lie:
                __class__ = property(lambda self: float)
                def __float__(self):
                    import inspect
                    call = inspect.stack()
                    return 3.0
                def __sub__(self, other): return self
                def __abs__(self): return self
                def __lt__(self, other): return True
            class Lies(Lie):
                def __init__(self, k): self.k = k
                def __float__(self): return float(self.k + 1)
            def mean(a):
                return Lie() if len(a) == 3 else Lies(a[0])
        """,
    ),
    attack(
        "difference-that-lies",
        "of a test's arithmetic with a result, a student's code has no say",
        earned("mean-tests"),
        ONE_PROCESS,
        NO_MEAN,
        mean="""
            class Lie:
                def __sub__(self, other): return 0.0
                __rsub__ = __sub__
            def mean(a):
                return Lie() if 0.5 in a else sum(a) / len(a)  # wrong for fractions
        """,
    ),
    attack(
        "string-that-lies",
        "results are values of exact types",
        earned("apply-tests"),
        ONE_PROCESS,
        NO_APPLY,
        apply="""
            class Lie(str):
                def __eq__(self, other): return True
                __hash__ = str.__hash__
            class Number(int):
                def __eq__(self, other): return True
                __hash__ = int.__hash__
            def apply(f, xs): return [Lie("x"), Lie("y")] if f is not len else [Number(7)] * 2
        """,
    ),
    attack(
        "tensor-that-lies",
        "results are values of exact types",
        earned("step-tests"),
        ONE_PROCESS,
        NO_STEP,
        step="""
            class Lie(torch.Tensor):
                @classmethod
                def __torch_function__(cls, f, types, args=(), kwargs=None):
                    if f is torch.allclose: return True
                    return super().__torch_function__(f, types, args, kwargs or {})
            def step(w, rate): return torch.zeros(3).as_subclass(Lie)
        """,
    ),
    attack(
        "reduces",
        "nothing is unpickled",
        says_won,
        NAIVE,
        NO_POINTS,
        double="""
            class Evil:
                def __reduce__(self): return print, (@WON@,)
                __reduce_ex__ = lambda self, version: self.__reduce__()
            def double(x): return Evil()
        """,
        naive=UNPICKLE.format(value="Evil()"),
    ),
    attack(
        "reduces-in-an-array",
        "arrays of objects are no values",
        says_won,
        NAIVE,
        NO_POINTS,
        double="""
            import numpy
            class Evil:
                def __reduce__(self): return print, (@WON@,)
            def double(x): return numpy.array([Evil(), Evil()], dtype=object)
        """,
        naive="""
            import io, numpy
            class Evil:
                def __reduce__(self): return print, (@WON@,)
            file = io.BytesIO()
            numpy.save(file, numpy.array([Evil()], dtype=object))
            file.seek(0)
            numpy.load(file, allow_pickle=True)
        """,
    ),
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
    # -- exceptions that are no errors
    attack(
        "raises-system-exit",
        "a test that did not come to its end is not passed",
        earned("double-tests"),
        NAIVE,
        NO_POINTS,
        double="""
            def double(x): raise SystemExit(0)
        """,
        # a grader that believes an exit status
        naive="""
            import json, os
            pid = os.fork()
            if pid == 0:
                raise SystemExit(0)
                assert False, "the test"
            if os.waitpid(pid, 0)[1] == 0: print(json.dumps({"double-tests": 3}))
        """,
    ),
    attack(
        "raises-keyboard-interrupt",
        "a test that did not come to its end is not passed",
        hurts_others,
        NAIVE,
        {"double-tests": "failed error"},
        double="def double(x):\n    raise KeyboardInterrupt",
        naive="""
            for student in ("this one", "the next one"):
                try: raise KeyboardInterrupt
                except Exception: pass
        """,
    ),
    attack(
        "raises-what-cannot-be-printed",
        "nothing is asked of a hostile exception that it could refuse",
        hurts_others,
        NAIVE,
        {"double-tests": "failed error"},
        double="""
            class Bad(Exception):
                def __str__(self): raise BaseException("no")
                __repr__ = __str__
                def __getattribute__(self, name): raise BaseException("no")
            def double(x): raise Bad()
        """,
        naive="""
            class Bad(Exception):
                def __str__(self): raise BaseException("no")
            for student in ("this one", "the next one"):
                try: raise Bad()
                except Exception as error:
                    message = str(error)
        """,
    ),
    attack(
        "raises-something-endless",
        "nothing is asked of a hostile exception that it could refuse",
        hurts_others,
        NAIVE,
        {"double-tests": "failed error timeout"},
        double="""
            class Bad(Exception):
                def __str__(self):
                    while True: pass
            def double(x): raise Bad()
        """,
        naive="""
            class Bad(Exception):
                def __str__(self):
                    while True: pass
            try: raise Bad()
            except Exception as error: print(error)
        """,
    ),
    # -- results that are hard to carry
    attack(
        "huge-number",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="def double(x):\n    return 10 ** 100000",
        naive="import json\njson.loads(json.dumps({'value': 10 ** 100000}))",
    ),
    attack(
        "number-of-100-mb",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="def double(x):\n    return 1 << 800_000_000",
        naive="import json\njson.loads(json.dumps({'value': 1 << 800_000_000}))",
    ),
    attack(
        "deep-list",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="""
            def double(x):
                x = []
                for _ in range(100_000): x = [x]
                return x
        """,
        naive="""
            import json
            x = []
            for _ in range(100_000): x = [x]
            json.loads(json.dumps(x))
        """,
    ),
    attack(
        "list-in-itself",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="def double(x):\n    x = []\n    x.append(x)\n    return x",
        naive="import json\nx = []\nx.append(x)\njson.loads(json.dumps(x))",
    ),
    attack(
        "billion-lists",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS | {"double-tests": "failed error timeout"},
        double="""
            def double(x):
                x = ["lol"]
                for _ in range(40): x = [x, x]
                return x
        """,
        naive="""
            import json, resource
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            x = ["lol"]
            for _ in range(40): x = [x, x]
            json.loads(json.dumps(x))
        """,
    ),
    attack(
        "array-of-a-terabyte",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="""
            import numpy
            def double(x):
                return numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (10**6, 10**6), (0, 0))
        """,
        naive="""
            import numpy
            numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (10**6, 10**6), (0, 0)).tobytes()
        """,
    ),
    attack(
        "result-of-60-mb",
        "a value that is costly to carry costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="def double(x):\n    return [0.5] * 8_000_000",
        naive="""
            import json, resource
            resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
            json.loads(json.dumps([[0.5]] * 8_000_000))
        """,
    ),
    attack(
        "odd-dtypes",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="""
            import numpy
            def double(x):
                return numpy.zeros(2, dtype=[("a", "O"), ("b", "V2000000000"), ("c", "M8[Y]")])
        """,
        naive="""
            import json, numpy
            json.dumps(numpy.zeros(2, dtype=[("a", "O"), ("c", "M8[Y]")]).tolist())
        """,
    ),
    attack(
        "not-a-number",
        "a number that is none is not close to anything",
        hurts_others,
        NAIVE,
        NO_POINTS,
        double="def double(x):\n    return float('nan')",
        naive="import json\njson.dumps({'value': float('nan')}, allow_nan=False)",
    ),
    attack(
        "tensor-without-data",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_STEP,
        step="def step(w, rate):\n    return torch.empty(10**12, device='meta')",
        naive="import torch\ntorch.empty(10**12, device='meta').numpy()",
    ),
    attack(
        "sparse-tensor",
        "a value that cannot be carried costs one cell",
        hurts_others,
        NAIVE,
        NO_STEP,
        step="""
            def step(w, rate):
                return torch.sparse_coo_tensor([[0]], [1.0], (10**12,))
        """,
        naive="import torch\ntorch.sparse_coo_tensor([[0]], [1.0], (10**12,)).numpy()",
    ),
    attack(
        "endless-length",
        "a test that does not end costs one cell",
        hurts_others,
        NAIVE,
        NO_APPLY | {"apply-tests": "failed error timeout"},
        apply="""
            class Endless:
                def __len__(self): return 2
                def __iter__(self):
                    while True: yield 1
                def __getitem__(self, i): return 1
            def apply(f, xs): return Endless()
        """,
        naive="""
            import resource, itertools
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            list(itertools.count())
        """,
    ),
    attack(
        "calls-back-without-end",
        "a call back and forth has a depth",
        hurts_others,
        NAIVE,
        NO_APPLY | {"apply-tests": "failed error timeout"},
        apply="""
            def apply(f, xs):
                class Key:
                    def __hash__(self): return hash(tuple(apply(f, xs)))
                return [f(Key())]
        """,
        naive="def there(): return back()\ndef back(): return there()\nthere()",
    ),
    # -- messages
    attack(
        "garbage-in-all-sockets",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(os.urandom(100_000))\n",
        naive="""
            import json, os, struct
            json.loads(os.urandom(100_000)[4:])
        """,
    ),
    attack(
        "message-of-4-gb",
        "a message has a size limit",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(struct.pack('!I', 0xFFFFFFFF) + b'x' * 1000)\n",
        naive=naive_message("struct.pack('!I', 0xFFFFFFFF)"),
    ),
    attack(
        "flood",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(struct.pack('!I', 2) + b'{}')\nsend(b'\\0' * 50_000_000)\n",
        naive=naive_message("b'\\0' * 50_000_000"),
    ),
    attack(
        "deep-message",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "m = b'[' * 200_000\nsend(struct.pack('!I', len(m)) + m)\n",
        naive=naive_message("struct.pack('!I', 200_000) + b'[' * 200_000"),
    ),
    attack(
        "message-with-a-huge-number",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS
        + "m = b'{\"outputs\": [], \"error\": ' + b'9' * 100_000 + b'}'\n"
        + "send(struct.pack('!I', len(m)) + m)\n",
        naive=naive_message("struct.pack('!I', 100_000) + b'9' * 100_000"),
    ),
    attack(
        "message-of-the-wrong-shape",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS
        + """
for m in ({"outputs": 7, "error": []}, {"outputs": [{"output_type": "stream", "text": {}}]},
          {"outputs": [{"output_type": "display_data", "data": 1}], "error": {"ename": 1}},
          [], None, {"error": "x"}, {"ok": "no", "outputs": [[[]]], "error": {"traceback": 3}}):
    m = json.dumps(m).encode()
    send(struct.pack("!I", len(m)) + m)
""",
        naive=naive_message("struct.pack('!I', 14) + b'{\"outputs\": 7}'"),
    ),
    attack(
        "half-a-message",
        "whoever does not answer runs into the time limit",
        hurts_others,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "passed failed error timeout"),
        double=SOCKETS + "send(struct.pack('!I', 1000) + b'{')\n",
        naive=naive_message("struct.pack('!I', 1000) + b'{'"),
    ),
    attack(
        "closes-its-sockets",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "for fd in list(sockets()): os.close(fd)\n",
        naive=naive_message("b''"),
    ),
    attack(
        "answers-for-the-checker",
        "a result comes from the checker alone",
        earned("double-tests"),
        NAIVE,
        dict.fromkeys(OWN_LOSS, "failed error timeout passed") | NO_POINTS,
        double=SOCKETS
        + """
m = json.dumps({"outputs": [], "error": None, "ok": True, "public": ""}).encode()
for _ in range(20): send(struct.pack("!I", len(m)) + m)
def double(x):
    for _ in range(20): send(struct.pack("!I", len(m)) + m)
    return 5
""",
        # a grader that believes what comes first through a pipe which the student's code can reach
        naive="""
            import json, os
            r, w = os.pipe()
            if os.fork() == 0:
                os.write(w, json.dumps({"double-tests": 3}).encode() + b"\\n")
                os.write(w, json.dumps({"double-tests": 0}).encode() + b"\\n")
                os._exit(0)
            print(os.fdopen(r).readline())
        """,
    ),
    attack(
        "forks-and-returns",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "passed failed error timeout"),
        double="import os\nfor _ in range(3): os.fork()",
        # a reader that takes the next answer that comes for the answer to its question
        naive="""
            import json, os
            r, w = os.pipe()
            pid = os.fork()
            os.write(w, b'{"first": 1}\\n')
            if pid == 0: os._exit(0)
            os.waitpid(pid, 0)
            answers = os.fdopen(r)
            json.loads(answers.readline())["first"]
            os.write(w, b'{"second": 1}\\n')
            json.loads(answers.readline())["second"]
        """,
    ),
    attack(
        "random-state-that-lies",
        "the state of random numbers is read as numbers",
        says_won,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "failed error passed") | NO_POINTS,
        double="""
            import random, numpy
            class Evil:
                def __reduce__(self): return print, (@WON@,)
                def __eq__(self, other): return False
            numpy.random.get_state = lambda *a, **k: ("MT19937", Evil(), 10**100, [], "x")
            random.getstate = lambda: (3, (Evil(),) * 625, None)
            def double(x): return 5
        """,
        naive=UNPICKLE.format(value="(3, (Evil(),) * 625, None)"),
    ),
]
