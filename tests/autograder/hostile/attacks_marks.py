"""Attacks on marks: wrong answers that want points.

Most of them get what they want where tests run in the student's own process.
"""

from attack import (
    NAIVE,
    ONE_PROCESS,
    Attack,
    attack,
    earned,
    says_won,
)

NO_POINTS = {"double-tests": "failed error"}
NO_MEAN = {"mean-tests": "failed error"}
NO_APPLY = {"apply-tests": "failed error"}
NO_STEP = {"step-tests": "failed error"}
SPLIT = "tests run in another process"

# what a grader does that takes values from the student as it finds them
UNPICKLE = """
    import json, pickle, sys
    class Evil:
        def __reduce__(self): return print, (@WON@,)
    pickle.loads(pickle.dumps({value}))
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
]
