"""Test cells as instructors write them: name, the student's cell, the test cell, what it raises."""

CELLS: list[tuple[str, str, str, str | None]] = []


def cell(name: str, code: str, test: str, raises: str | None = None) -> None:
    """Add a row."""
    CELLS.append((name, code, test, raises))


ADD = "def add(a, b=1, *rest, scale=1):\n    'Add two numbers.'\n    return (a + b + sum(rest)) * scale"
cell("plain call", ADD, "assert add(2, 3) == 5")
cell("wrong answer", ADD, "assert add(2, 3) == 6, 'two and three make six'", "AssertionError")
cell("keyword arguments", ADD, "assert add(a=2, b=3, scale=2) == 10\nassert add(1) == 2")
cell("star arguments", ADD, "assert add(*[1, 2, 3], **{'scale': 2}) == 12")
cell("docstring", ADD, "assert add.__doc__ == 'Add two numbers.'\nassert add.__name__ == 'add'")
cell(
    "callable",
    ADD + "\nnot_a_function = object()",
    "assert callable(add)\nassert not callable(not_a_function)",
)
cell(
    "signature",
    ADD,
    """
import inspect
s = inspect.signature(add)
assert list(s.parameters) == ['a', 'b', 'rest', 'scale']
assert s.parameters['b'].default == 1 and s.parameters['a'].default is inspect.Parameter.empty
assert inspect.isfunction(add)
""",
)
cell("undefined name", "x = 1", "solve(3)", "NameError")
cell(
    "name in globals",
    "x = 1",
    "assert 'x' in globals() and 'y' not in globals()\n"
    "assert globals()['x'] == 1 and globals().get('y') is None and globals().get('x') == 1",
)
cell("wrong number of arguments", ADD, "add()", "TypeError")
cell(
    "try and except NameError",
    "x = 1",
    """
try:
    y
except NameError:
    pass
else:
    raise AssertionError
""",
)

RAISES = """
class TooSmall(ValueError):
    def __init__(self, value):
        super().__init__(f'{value} is too small')
        self.value = value
def root(x):
    if x < 0:
        raise ValueError('negative')
    if x == 0:
        raise TooSmall(x)
    return x ** 0.5
def invert(m):
    import numpy as np
    return np.linalg.inv(m)
"""
cell(
    "assertRaises",
    RAISES,
    """
class T(unittest.TestCase):
    def test(self):
        with self.assertRaises(ValueError) as caught:
            root(-1)
        self.assertIn('negative', str(caught.exception))
        self.assertRaises(TooSmall, root, 0)
        self.assertRaisesRegex(ValueError, 'too small', root, 0)
result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
assert result.wasSuccessful(), result.failures + result.errors
""",
)
cell(
    "bare TestCase",
    RAISES,
    "t = unittest.TestCase()\nt.assertRaises(ValueError, root, -1)\n"
    "t.assertEqual(root(4), 2.0)\nt.assertAlmostEqual(root(2), 1.41421356)\nt.assertIsInstance(root(4), float)",
)
cell(
    "assertRaises fails",
    RAISES,
    "unittest.TestCase().assertRaises(ValueError, root, 4)",
    "AssertionError",
)
cell(
    "numpy assert_raises",
    RAISES,
    "np.testing.assert_raises(ValueError, root, -1)\n"
    "np.testing.assert_raises(np.linalg.LinAlgError, invert, np.zeros((2, 2)))\n"
    "np.testing.assert_raises_regex(ValueError, 'neg', root, -1)",
)
cell(
    "own exception",
    RAISES,
    """
try:
    root(0)
except TooSmall as error:
    assert isinstance(error, ValueError) and error.value == 0 and str(error) == '0 is too small'
    assert type(error).__name__ == 'TooSmall'
else:
    assert False
""",
)
cell(
    "pytest raises",
    RAISES,
    "import pytest\nwith pytest.raises(ValueError, match='negative'):\n    root(-1)\n"
    "with pytest.raises(TooSmall):\n    root(0)\nassert root(4) == pytest.approx(2)",
)
cell(
    "KeyError and IndexError",
    "def get(d, k): return d[k]",
    """
for bad in (({}, 'k', KeyError), ([], 0, IndexError)):
    try:
        get(*bad[:2])
    except bad[2]:
        pass
    else:
        raise AssertionError
""",
)
cell("exception from a test", ADD, "add('a', 1)", "TypeError")
cell(
    "NotImplementedError",
    "def f(): raise NotImplementedError('todo')",
    "f()",
    "NotImplementedError",
)
cell("error class passes on", RAISES, "root(0)", "TooSmall")
cell("SystemExit", "import sys\ndef f(): sys.exit(3)", "f()", "SystemExit")
cell("zero division", "def f(x): return 1 / x", "f(0)", "ZeroDivisionError")
cell("recursion", "def f(x): return f(x + 1)", "f(0)", "RecursionError")

VALUES = """
import numpy as np
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
Point = namedtuple('Point', 'x y')
def count(text): return Counter(text)
def unique(xs): return set(xs)
def group(xs):
    found = defaultdict(list)
    for x in xs: found[x % 2].append(x)
    return found
def corner(): return Point(1, 2)
def order(): return OrderedDict(b=1, a=2)
def last(xs): return deque(xs, maxlen=2)
def swap(a, b): return b, a
"""
cell(
    "sets and Counter",
    VALUES,
    "assert unique([1, 1, 2]) == {1, 2}\nassert count('aab') == Counter('aab')\n"
    "assert count('aab').most_common(1) == [('a', 2)]\nassert isinstance(count('a'), dict)",
)
cell(
    "named tuple",
    VALUES,
    "p = corner()\nassert p.x == 1 and p == (1, 2) and p._fields == ('x', 'y')\n"
    "assert isinstance(p, Point) and isinstance(p, tuple)\nassert Point(3, 4).y == 4",
)
cell(
    "default dict",
    VALUES,
    "g = group([1, 2, 3])\nassert g == {1: [1, 3], 0: [2]}\nassert g['new'] == []",
)
cell(
    "ordered and bounded",
    VALUES,
    "assert list(order()) == ['b', 'a']\nassert list(last([1, 2, 3])) == [2, 3]",
)
cell(
    "tuple unpacking",
    VALUES,
    "a, b = swap(1, 'x')\nassert (a, b) == ('x', 1)\nassert type(swap(1, 2)) is tuple",
)
cell("none", "def f(): pass", "assert f() is None")
cell(
    "big numbers",
    "def f(n):\n    return 1 if n < 2 else n * f(n - 1)",
    "assert f(100) == math.factorial(100)",
)
cell(
    "floats",
    "def f(): return float('nan'), float('inf'), -0.0",
    "a, b, c = f()\nassert math.isnan(a) and b == math.inf and math.copysign(1, c) == -1",
)
cell(
    "strings",
    "def f(s): return s[::-1].upper()",
    "assert f('añb') == 'BÑA'\nassert isinstance(f(''), str)",
)
cell(
    "dict views",
    "def f(d): return d.keys()",
    "assert sorted(f({'b': 1, 'a': 2})) == ['a', 'b']\nassert f({1: 2}) == {1}",
)
cell(
    "global variables",
    "LEARNING_RATE = 0.1\nnames = ['a', 'b']\nd = {'k': [1]}",
    "assert LEARNING_RATE == 0.1 and len(names) == 2 and d['k'][0] == 1",
)
cell(
    "global changed by the test",
    "xs = [1]\ndef total(): return sum(xs)",
    "xs.append(4)\nassert total() == 5\nassert len(xs) == 2",
)
cell(
    "global changed by the code",
    "xs = []\ndef push(x): xs.append(x)",
    "push(3)\nassert xs == [3]\nbefore = xs\npush(4)\nassert before == [3, 4] and before is xs",
)

ARRAYS = """
import numpy as np
def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
def inplace(x): x *= 2
def fill(out):
    out[...] = 7
    return out
def first(x): return x[0]
def mask(x): return x[x > 0]
def stats(x): return {'mean': x.mean(), 'shape': x.shape, 'idx': x.argmax()}
W = np.zeros((2, 2))
def loss(): return float((W ** 2).sum())
"""
cell(
    "arrays",
    ARRAYS,
    """
x = np.random.default_rng(0).normal(size=(4, 3))
p = softmax(x)
assert p.shape == (4, 3) and p.dtype == np.float64
np.testing.assert_allclose(p.sum(axis=1), 1)
np.testing.assert_array_equal(np.argmax(p, 1), np.argmax(x, 1))
assert isinstance(p, np.ndarray)
""",
)
cell(
    "argument changed in place",
    ARRAYS,
    "x = np.arange(3.0)\ninplace(x)\nassert x.tolist() == [0, 2, 4]",
)
cell(
    "argument unchanged",
    ARRAYS,
    "x = np.ones((2, 2))\nkeep = x.copy()\nsoftmax(x)\nassert np.array_equal(x, keep)",
)
cell("argument returned", ARRAYS, "x = np.zeros(3)\nassert fill(x) is x and x[0] == 7")
cell(
    "view changed in place",
    ARRAYS,
    "x = np.ones((2, 3))\ninplace(x[0])\nassert x.tolist() == [[2, 2, 2], [1, 1, 1]]",
)
cell(
    "numpy scalars",
    ARRAYS,
    "s = stats(np.array([1.0, 5.0]))\nassert s['shape'] == (2,) and s['idx'] == 1\n"
    "assert isinstance(s['mean'], np.floating) and np.issubdtype(type(s['idx']), np.integer)",
)
cell(
    "finite differences",
    ARRAYS,
    """
def numeric(f, w, eps=1e-5):
    g = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = f()
        w[i] = old - eps
        g[i] = (up - f()) / (2 * eps)
        w[i] = old
    return g
W[0, 1] = 3
g = numeric(loss, W)
np.testing.assert_allclose(g, 2 * W, atol=1e-6)
""",
)
cell(
    "boolean mask",
    ARRAYS,
    "assert mask(np.array([-1, 2, 3])).tolist() == [2, 3]\nassert first([4]) == 4",
)
cell(
    "copy of a list",
    "def f(xs):\n    ys = xs[:]\n    ys.sort()\n    return ys",
    "xs = [3, 1]\nys = f(xs)\nassert xs == [3, 1] and ys == [1, 3] and ys is not xs",
)
cell(
    "list sorted in place",
    "def f(xs): xs.sort()",
    "xs = [3, 1]\nassert f(xs) is None\nassert xs == [1, 3]",
)
cell(
    "nested list changed",
    "def f(board): board[1][0] = 'x'",
    "board = [[0, 0], [0, 0]]\nrow = board[1]\nf(board)\nassert board == [[0, 0], ['x', 0]] and row is board[1]",
)
cell(
    "dict and set changed",
    "def f(d, s):\n    d['n'] = d.pop('o')\n    s.add(4)",
    "d, s = {'o': 1}, {1}\nf(d, s)\nassert d == {'n': 1} and s == {1, 4}",
)

cell(
    "seed of numpy",
    "import numpy as np\ndef draw(): return np.random.rand(3)",
    "np.random.seed(3)\na = draw()\nnp.random.seed(3)\nb = np.random.rand(3)\nassert (a == b).all()\n"
    "assert not (draw() == a).all()",
)
cell(
    "seed of random",
    "import random\ndef draw(): return random.gauss(0, 1)",
    "random.seed(3)\na = draw(), draw()\nrandom.seed(3)\nassert a == (random.gauss(0, 1), random.gauss(0, 1))",
)
cell(
    "seed of numpy normals",
    "import numpy as np\ndef draw(): return np.random.randn()",
    "np.random.seed(3)\na = [draw(), np.random.randn(), draw()]\nnp.random.seed(3)\n"
    "assert a == [np.random.randn() for _ in range(3)]",
)
cell(
    "seed of torch",
    "import torch\ndef draw(): return torch.randn(2)",
    "torch.manual_seed(3)\na = draw()\nb = torch.randn(2)\ntorch.manual_seed(3)\n"
    "assert torch.equal(a, torch.randn(2)) and torch.equal(b, torch.randn(2))",
)
cell(
    "generator handed over",
    "def draw(rng): return rng.normal(size=2)",
    "rng = np.random.default_rng(5)\na, b = draw(rng), draw(rng)\nwant = np.random.default_rng(5).normal(size=4)\n"
    "assert np.array_equal(np.concatenate([a, b]), want)\nassert rng.normal() == np.random.default_rng(5).normal(size=5)[4]",
)
cell(
    "random.Random and RandomState",
    "def draw(r, s): return r.random(), s.rand()",
    "r, s = random.Random(1), np.random.RandomState(2)\na = draw(r, s)\n"
    "assert a == (random.Random(1).random(), np.random.RandomState(2).rand())\nassert draw(r, s) != a",
)

cell(
    "generator function",
    "def gen(n):\n    for i in range(n): yield i * i",
    "g = gen(3)\nassert next(g) == 0\nassert list(g) == [1, 4]\nassert list(gen(4)) == [0, 1, 4, 9]\n"
    "import types\nassert isinstance(gen(1), types.GeneratorType)",
)
cell(
    "infinite generator",
    "def nat():\n    n = 0\n    while True:\n        yield n\n        n += 1",
    "import itertools\nassert list(itertools.islice(nat(), 5)) == [0, 1, 2, 3, 4]\n"
    "assert [x for _, x in zip(range(2), nat())] == [0, 1]",
)
cell("stop iteration", "def gen():\n    yield 1", "g = gen()\nnext(g)\nnext(g)", "StopIteration")
cell(
    "iterator class",
    "class Down:\n    def __init__(self, n): self.n = n\n    def __iter__(self): return self\n"
    "    def __next__(self):\n        if self.n == 0: raise StopIteration\n        self.n -= 1\n        return self.n",
    "assert list(Down(3)) == [2, 1, 0]\nassert sum(Down(4)) == 6\nd = Down(2)\nassert iter(d) is d",
)
cell(
    "map and zip",
    "def f(xs): return map(lambda x: x + 1, xs)\ndef g(a, b): return zip(a, b)",
    "assert list(f([1, 2])) == [2, 3]\nassert dict(g('ab', [1, 2])) == {'a': 1, 'b': 2}",
)
cell(
    "consumes an iterator",
    "def take(it, n): return [next(it) for _ in range(n)]",
    "it = iter(range(10))\nassert take(it, 3) == [0, 1, 2]\nassert next(it) == 3\n"
    "def squares():\n    for i in range(5): yield i * i\ng = squares()\nassert take(g, 2) == [0, 1] and next(g) == 4",
)
cell(
    "closure",
    "def make(n):\n    def add(x): return x + n\n    return add",
    "f = make(3)\nassert f(4) == 7 and callable(f)\nassert make(1)(1) == 2",
)
cell(
    "decorator",
    "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(*a, **k): return 2 * f(*a, **k)\n    return g",
    "@twice\ndef three():\n    return 3\nassert three() == 6\nassert three.__name__ == 'three'\n"
    "assert twice(lambda x: x)(4) == 8",
)
cell(
    "callback",
    "def integrate(f, a, b, n=100):\n    h = (b - a) / n\n    return sum(f(a + (i + .5) * h) for i in range(n)) * h",
    "assert abs(integrate(lambda x: x * x, 0, 1) - 1 / 3) < 1e-4\nassert abs(integrate(math.sin, 0, math.pi) - 2) < 1e-3\n"
    "calls = []\ndef f(x):\n    calls.append(x)\n    return 1.0\nintegrate(f, 0, 1, n=7)\nassert len(calls) == 7",
)
cell(
    "callback that raises",
    "def safe(f):\n    try:\n        return f()\n    except KeyError as e:\n        return 'caught'\n",
    "def bad(): raise KeyError('x')\nassert safe(bad) == 'caught'\ndef worse(): raise ValueError('y')\n"
    "try:\n    safe(worse)\nexcept ValueError as e:\n    assert str(e) == 'y'\nelse:\n    assert 0",
)
cell(
    "mock as callback",
    "def notify(f):\n    f(1)\n    f(2, k=3)",
    "from unittest.mock import Mock\nm = Mock()\nnotify(m)\nassert m.call_count == 2\nm.assert_called_with(2, k=3)",
)
cell(
    "sort key",
    "def by(xs, key): return sorted(xs, key=key)",
    "assert by(['bb', 'a'], len) == ['a', 'bb']\nassert by([3, -4], lambda v: abs(v)) == [3, -4]",
)
cell(
    "function of numpy handed over",
    "import numpy as np\ndef apply(f, x): return f(x)\nact = np.tanh",
    "assert np.array_equal(apply(np.exp, np.zeros(2)), np.ones(2))\nassert act is np.tanh\n"
    "import torch\nassert torch.equal(apply(torch.tanh, torch.zeros(2)), torch.zeros(2))\nassert apply(len, [1, 2]) == 2",
)

STACK = """
class Stack:
    'A stack.'
    kind = 'lifo'
    def __init__(self, items=()):
        self.items = list(items)
        self._n = 0
    def push(self, x):
        self.items.append(x)
        return self
    def pop(self):
        if not self.items: raise IndexError('empty stack')
        return self.items.pop()
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __contains__(self, x): return x in self.items
    def __getitem__(self, i): return self.items[i]
    def __setitem__(self, i, v): self.items[i] = v
    def __repr__(self): return f'Stack({self.items})'
    @property
    def top(self): return self.items[-1]
    @staticmethod
    def of(*xs): return Stack(xs)
    @classmethod
    def empty(cls): return cls()
class Bounded(Stack):
    def push(self, x):
        if len(self.items) >= 2: raise OverflowError('full')
        return super().push(x)
"""
cell(
    "object",
    STACK,
    """
s = Stack()
s.push(1).push(2)
assert len(s) == 2 and s.top == 2 and 1 in s and 9 not in s and list(s) == [1, 2] and s[0] == 1
assert s.pop() == 2 and repr(s) == 'Stack([1])' and str(s) == 'Stack([1])' and f'{s}' == 'Stack([1])'
s[0] = 5
assert s.items == [5]
s.items.append(6)
assert len(s) == 2
s.items = []
assert len(s) == 0
""",
)
cell(
    "object: classes",
    STACK,
    """
s = Stack.of(1, 2)
assert isinstance(s, Stack) and not isinstance(s, Bounded) and type(s) is Stack
assert type(s).__name__ == 'Stack' and s.__class__.__name__ == 'Stack' and Stack.__doc__ == 'A stack.'
assert issubclass(Bounded, Stack) and isinstance(Bounded.empty(), Stack) and Stack.kind == 'lifo'
assert hasattr(s, 'push') and not hasattr(s, 'peek') and hasattr(Stack, 'push') and callable(s.push)
assert not isinstance(3, Stack) and not isinstance([], Stack) and Bounded.__bases__[0] is Stack
assert getattr(s, 'nothing', 7) == 7 and 'items' in vars(s) if False else True
""",
)
cell(
    "object: errors",
    STACK,
    "try:\n    Stack().pop()\nexcept IndexError as e:\n    assert str(e) == 'empty stack'\n"
    "b = Bounded([1, 2])\nunittest.TestCase().assertRaises(OverflowError, b.push, 3)",
)
cell("object: missing attribute", STACK, "Stack().peek()", "AttributeError")
cell(
    "object: identity",
    "class Node:\n    def __init__(self, v, next=None): self.v, self.next = v, next\n"
    "def link(*vs):\n    n = None\n    for v in reversed(vs): n = Node(v, n)\n    return n",
    "n = link(1, 2, 3)\nvs = []\nm = n\nwhile m is not None:\n    vs.append(m.v)\n    m = m.next\nassert vs == [1, 2, 3]\n"
    "assert n.next is n.next\nn.next.next = n\nassert n.next.next is n\na, b = Node(1), Node(2)\na.next = b\nassert a.next.v == 2",
)
cell(
    "object: arithmetic",
    "class Vec:\n    def __init__(self, *v): self.v = v\n"
    "    def __add__(self, o): return Vec(*[a + b for a, b in zip(self.v, o.v)])\n"
    "    def __mul__(self, k): return Vec(*[a * k for a in self.v])\n    __rmul__ = __mul__\n"
    "    def __neg__(self): return self * -1\n    def __abs__(self): return sum(a * a for a in self.v) ** .5\n"
    "    def __float__(self): return abs(self)\n    def __matmul__(self, o): return sum(a * b for a, b in zip(self.v, o.v))",
    "v = Vec(3, 4)\nassert (v + v).v == (6, 8) and (2 * v).v == (v * 2).v == (6, 8) and abs(v) == 5 and float(v) == 5.0\n"
    "assert (-v).v == (-3, -4) and v @ v == 25\nw = v\nw += v\nassert w.v == (6, 8) and isinstance(w, Vec)",
)
cell("object: unsupported operand", STACK, "Stack() + 1", "TypeError")
cell(
    "object: context manager",
    "class Timer:\n    def __enter__(self):\n        self.on = True\n        return self\n"
    "    def __exit__(self, kind, value, tb):\n        self.on = False\n        self.kind = kind\n        return kind is KeyError",
    "with Timer() as t:\n    assert t.on\nassert t.on is False and t.kind is None\nwith t:\n    raise KeyError('x')\n"
    "try:\n    with t:\n        raise ValueError\nexcept ValueError:\n    pass\nelse:\n    assert 0",
)
cell(
    "contextlib",
    "import contextlib\nlog = []\n@contextlib.contextmanager\ndef tag(name):\n    log.append('<' + name)\n    yield name\n    log.append('>')",
    "with tag('b') as n:\n    assert n == 'b' and log == ['<b']\nassert log == ['<b', '>']",
)
cell(
    "object: call",
    "class Poly:\n    def __init__(self, *c): self.c = c\n    def __call__(self, x): return sum(c * x ** i for i, c in enumerate(self.c))",
    "p = Poly(1, 2)\nassert callable(p) and p(3) == 7\nassert np.allclose(p(np.arange(2)), [1, 3])",
)
cell(
    "object: array",
    "import numpy as np\nclass M:\n    def __array__(self, dtype=None, copy=None): return np.eye(2)",
    "assert np.asarray(M()).shape == (2, 2)\nassert np.allclose(M(), np.eye(2))",
)
cell(
    "dataclass",
    "from dataclasses import dataclass, field\n@dataclass\nclass Config:\n    lr: float = 0.1\n    layers: list = field(default_factory=list)",
    "c = Config(layers=[3])\nassert c.lr == 0.1 and c.layers == [3]\nc.lr = 1\nassert c.lr == 1 and repr(c) == 'Config(lr=1, layers=[3])'\n"
    "import dataclasses\nassert dataclasses.is_dataclass(Config) and [f.name for f in dataclasses.fields(Config)] == ['lr', 'layers']",
)
cell(
    "enum",
    "from enum import Enum, IntEnum\nclass Colour(Enum):\n    RED = 1\n    BLUE = 2\nclass Level(IntEnum):\n    LOW = 1\ndef pick(): return Colour.RED",
    "assert pick() is Colour.RED and pick() == Colour.RED and pick() != Colour.BLUE and Colour.RED.value == 1\n"
    "assert Colour.BLUE.name == 'BLUE' and len(Colour) == 2 and [c.name for c in Colour] == ['RED', 'BLUE'] and Colour['RED'] is pick()\n"
    "assert Level.LOW == 1",
)
cell(
    "dict subclass",
    "class Vocab(dict):\n    def encode(self, text): return [self[c] for c in text]\ndef build(t): return Vocab({c: i for i, c in enumerate(sorted(set(t)))})",
    "v = build('ab')\nassert v.encode('ba') == [1, 0] and len(v) == 2 and v['a'] == 0 and 'b' in v and dict(v) == {'a': 0, 'b': 1}\n"
    "assert sorted(v.keys()) == ['a', 'b'] and [k for k in v] == ['a', 'b'] and isinstance(v, dict)",
)
cell(
    "abstract class",
    "import abc\nclass Shape(abc.ABC):\n    @abc.abstractmethod\n    def area(self): ...\nclass Square(Shape):\n    def area(self): return 4",
    "assert Square().area() == 4 and issubclass(Square, Shape) and isinstance(Square(), Shape)\nunittest.TestCase().assertRaises(TypeError, Shape)",
)
cell(
    "printing",
    "def hello(name): print('hello', name)",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    hello('you')\nassert out.getvalue() == 'hello you\\n'",
)
cell(
    "text stream handed over",
    "def write(f): f.write('a,b\\n')\ndef read(f): return f.read().split()",
    "import io\nbuf = io.StringIO()\nwrite(buf)\nassert buf.getvalue() == 'a,b\\n'\nassert read(io.StringIO('x y')) == ['x', 'y']",
)
cell(
    "deepcopy",
    STACK,
    "import copy\ns = Stack([1])\nt = copy.deepcopy(s)\nt.push(2)\nassert len(s) == 1 and len(t) == 2 and isinstance(t, Stack)",
)
cell(
    "helper class",
    "class Cell:\n    def __init__(self, v): self.v, self.seen = v, False\ndef visit(c):\n    c.seen = True\n    return isinstance(c, Cell) and c.v",
    "class Cell:\n    def __init__(self, v): self.v, self.seen = v, False\nc = Cell(4)\nassert visit(c) == 4 or True\nassert c.seen is True",
)
cell(
    "test's own object",
    "def area(shape): return shape.w * shape.height() + len(shape)",
    "class Shape:\n    def __init__(self): self.w = 3\n    def height(self): return 2\n    def __len__(self): return 1\nassert area(Shape()) == 7",
)
cell(
    "match object",
    "import re\ndef find(s): return re.search(r'(\\d+)', s)",
    "m = find('a12')\nassert m is not None and m.group(1) == '12' and find('a') is None\nassert find('b7').span() == (1, 2)",
)
cell(
    "dates",
    "import datetime, decimal, fractions, pathlib\ndef f(d): return d + datetime.timedelta(days=1), decimal.Decimal('0.1'), fractions.Fraction(1, 3), pathlib.Path('a') / 'b'",
    "import datetime, decimal, fractions, pathlib\na, b, c, d = f(datetime.date(2024, 2, 28))\nassert a == datetime.date(2024, 2, 29) and b * 10 == 1 and c * 3 == 1 and d.name == 'b'",
)
cell(
    "timing",
    "def f(n): return sum(range(n))",
    "import time\nt = time.perf_counter()\nf(1000)\nassert time.perf_counter() - t < 5",
)
cell(
    "lambda",
    "square = lambda x: x * x",
    "assert square(3) == 9\nassert list(map(square, [1, 2])) == [1, 4]",
)
cell(
    "partial",
    "import functools\ninc = functools.partial(max, 3)",
    "assert inc(2) == 3 and callable(inc)",
)
cell(
    "cached function",
    "import functools\n@functools.lru_cache(None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
    "assert fib(80) == 23416728348467685\nassert fib.cache_info().hits > 0",
)
cell(
    "async function",
    "import asyncio\nasync def later(x):\n    await asyncio.sleep(0)\n    return x + 1",
    "import inspect\nassert inspect.iscoroutinefunction(later)",
)

NET = """
import torch
import torch.nn as nn
class Net(nn.Module):
    'Two layers.'
    def __init__(self, n=2):
        super().__init__()
        self.a = nn.Linear(n, 3)
        self.b = nn.Linear(3, 1)
        self.drop = nn.Dropout(0.5)
    def forward(self, x): return self.b(torch.relu(self.a(x)))
def mse(a, b): return ((a - b) ** 2).mean()
def step(model, x, y):
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = mse(model(x), y)
    opt.zero_grad(); loss.backward(); opt.step()
    return loss.item()
def size(x): return x.shape
def scale_(x): return x.mul_(2)
"""
cell(
    "tensor",
    NET,
    "y = mse(torch.ones(3), torch.zeros(3))\nassert y.item() == 1 and y.dtype == torch.float32 and y.shape == torch.Size([])\n"
    "assert isinstance(y, torch.Tensor) and not y.requires_grad\nassert size(torch.zeros(2, 3)) == torch.Size([2, 3]) == (2, 3)\n"
    "assert isinstance(size(torch.zeros(1)), torch.Size)\ntorch.testing.assert_close(y, torch.tensor(1.0))",
)
cell("tensor in place", NET, "x = torch.ones(2)\nassert scale_(x) is x and x.tolist() == [2, 2]")
cell(
    "module",
    NET,
    """
torch.manual_seed(0)
net = Net(4)
assert isinstance(net, nn.Module) and isinstance(net, Net) and issubclass(Net, nn.Module)
assert net(torch.zeros(5, 4)).shape == (5, 1)
assert sum(p.numel() for p in net.parameters()) == 4 * 3 + 3 + 3 + 1
assert [n for n, _ in net.named_parameters()] == ['a.weight', 'a.bias', 'b.weight', 'b.bias']
assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in net.parameters())
assert net.training
net.eval()
assert not net.training and not net.drop.training
net.train()
assert net.training
assert isinstance(net.a, nn.Linear) and net.a.in_features == 4
assert any(isinstance(m, nn.Dropout) for m in net.modules())
assert len(list(net.children())) == 3
state = net.state_dict()
assert list(state) == ['a.weight', 'a.bias', 'b.weight', 'b.bias'] and state['a.weight'].shape == (3, 4)
""",
)
cell(
    "module: state",
    NET,
    """
torch.manual_seed(0)
one, two = Net(), Net()
x = torch.randn(3, 2)
with torch.no_grad():
    assert not torch.allclose(one(x), two(x))
two.load_state_dict(one.state_dict())
with torch.no_grad():
    y = two(x)
    assert torch.allclose(one(x), y) and not y.requires_grad
    one.a.weight.zero_()
    one.a.bias.fill_(1.0)
assert one.a.weight.abs().sum() == 0
want = one.b.weight.sum() + one.b.bias
assert torch.allclose(one(x), want.expand(3, 1))
""",
)
cell(
    "module: training",
    NET,
    """
torch.manual_seed(0)
net, x = Net(), torch.randn(8, 2)
before = [p.detach().clone() for p in net.parameters()]
w = net.b.weight
old = w.detach().clone()
losses = [step(net, x, x.sum(1, keepdim=True)) for _ in range(20)]
assert losses[-1] < losses[0]
assert any(not torch.equal(a, b) for a, b in zip(before, net.parameters()))
assert not torch.equal(w, old) and torch.equal(w, net.b.weight) and w is net.b.weight
assert net.a.weight.grad is not None and net.a.weight.grad.shape == (3, 2)
net.zero_grad()
assert all(p.grad is None for p in net.parameters())
""",
)
cell(
    "module: autograd",
    NET,
    """
torch.manual_seed(0)
net, x = Net(), torch.randn(4, 2)
loss = net(x).pow(2).mean()
assert loss.requires_grad
loss.backward()
g = net.a.weight.grad
assert g is not None and g.abs().sum() > 0
net.zero_grad()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
first = loss.item()
for _ in range(30):
    opt.zero_grad()
    out = net(x).pow(2).mean()
    out.backward()
    opt.step()
assert net(x).pow(2).mean().item() < first
""",
)
cell(
    "autograd through a function",
    "def f(x): return (x ** 3).sum()\ndef g(x): return x * 2",
    """
x = torch.tensor([1.0, 2.0], requires_grad=True)
f(x).backward()
assert x.grad.tolist() == [3, 12]
y = torch.tensor([1.0, 2.0], requires_grad=True)
f(g(y * 2)).backward()
assert torch.allclose(y.grad, 64 * 3 * y.detach() ** 2)
z = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
(grad,) = torch.autograd.grad(f(z), z)
assert grad.item() == 12 and z.grad is None
assert torch.autograd.gradcheck(f, (z,))
""",
)
cell(
    "library module handed over",
    NET
    + "\ndef run(layer, x): return layer(x)\ndef init_(layer):\n    with torch.no_grad():\n        for p in layer.parameters(): p.fill_(0.5)\n",
    "layer = nn.Linear(2, 1)\nx = torch.ones(1, 2)\nassert torch.allclose(run(layer, x), layer(x))\ninit_(layer)\n"
    "assert layer.weight.tolist() == [[0.5, 0.5]] and layer(x).item() == 1.5\nloss = step(layer, x, torch.zeros(1, 1))\n"
    "assert abs(loss - 2.25) < 1e-6 and layer.weight.grad is not None and layer(x).item() < 1.5",
)
cell(
    "library class handed over",
    "def build(cls, *args): return cls(*args)\ndef kind(cls): return cls.__name__",
    "layer = build(nn.LSTM, 2, 3)\nassert isinstance(layer, nn.LSTM) and layer.hidden_size == 3\nout, (h, c) = layer(torch.zeros(4, 1, 2))\n"
    "assert out.shape == (4, 1, 3) and h.shape == c.shape == (1, 1, 3)\nassert kind(nn.GRU) == 'GRU'",
)
cell(
    "lstm against the library",
    "import torch\ndef cell(x, h, W, U, b): return torch.tanh(x @ W + h @ U + b)",
    "torch.manual_seed(1)\nrnn = nn.RNNCell(3, 4)\nx, h = torch.randn(2, 3), torch.randn(2, 4)\n"
    "got = cell(x, h, rnn.weight_ih.T, rnn.weight_hh.T, rnn.bias_ih + rnn.bias_hh)\ntorch.testing.assert_close(got, rnn(x, h))",
)
cell(
    "sizes and dtypes",
    "import torch\ndef f(x): return x.dtype, x.device, x.size(), x.max(dim=0)",
    "a, b, c, d = f(torch.tensor([[1, 5]], dtype=torch.int16))\nassert a is torch.int16 and b == torch.device('cpu') and c == (1, 2)\n"
    "assert d.values.tolist() == [1, 5] and d[1].tolist() == [0, 0]",
)
cell(
    "dataset",
    "import torch\nclass Squares(torch.utils.data.Dataset):\n    def __len__(self): return 5\n    def __getitem__(self, i):\n        if i >= 5: raise IndexError(i)\n        return torch.tensor([float(i)]), i * i",
    "data = Squares()\nassert len(data) == 5 and data[3][1] == 9 and isinstance(data, torch.utils.data.Dataset)\n"
    "from torch.utils.data import DataLoader\nxs, ys = next(iter(DataLoader(data, batch_size=2)))\nassert xs.shape == (2, 1) and ys.tolist() == [0, 1]",
)
cell(
    "optimiser",
    NET + "\ndef make(net): return torch.optim.Adam(net.parameters(), lr=0.01)",
    "net = Net()\nopt = make(net)\nassert isinstance(opt, torch.optim.Optimizer) and opt.param_groups[0]['lr'] == 0.01\nopt.zero_grad()\n"
    "opt.param_groups[0]['lr'] = 0.5\nassert opt.param_groups[0]['lr'] == 0.5",
)
cell(
    "default dtype",
    "import torch\ndef f(): return torch.zeros(2)",
    "torch.set_default_dtype(torch.float64)\ntry:\n    assert f().dtype == torch.float64\nfinally:\n    torch.set_default_dtype(torch.float32)",
)
cell(
    "figure",
    "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\ndef plot(x):\n    fig, ax = plt.subplots()\n    ax.plot(x, label='loss')\n    ax.set(xlabel='step', title='T')\n    ax.legend()\n    return ax",
    "ax = plot([1, 2, 3])\nassert ax.get_xlabel() == 'step' and ax.get_title() == 'T' and len(ax.lines) == 1\n"
    "assert ax.lines[0].get_ydata().tolist() == [1, 2, 3] and [t.get_text() for t in ax.get_legend().get_texts()] == ['loss']\n"
    "import matplotlib.axes\nassert isinstance(ax, matplotlib.axes.Axes)",
)
cell(
    "scipy sparse",
    "import scipy.sparse\ndef f(): return scipy.sparse.eye(3, format='csr')",
    "m = f()\nassert m.shape == (3, 3) and m.nnz == 3 and m.toarray().trace() == 3",
)
