"""Attacks by results: exceptions that are no errors, and values that are hard to carry."""

from attack import (
    NAIVE,
    Attack,
    attack,
    earned,
    hurts_others,
)

NO_POINTS = {"double-tests": "failed error"}
NO_MEAN = {"mean-tests": "failed error"}
NO_APPLY = {"apply-tests": "failed error"}
NO_STEP = {"step-tests": "failed error"}
ATTACKS: list[Attack] = [
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
]
