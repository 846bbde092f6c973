"""What grading in two processes cannot do is refused; what it can do passes without a word."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from tiny_course import ROOT, Done, cell

from autograder import source, split

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]

HELPER = "import numpy as np\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn"
STUDENT = """import matplotlib.pyplot as plt
rate = 0.1
def double(x):
    return 2 * x
def step(w):
    return w - rate
def make_net():
    return Net()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(2, 1)
    def forward(self, x):
        return self.lin(x)
class Layer:
    def forward(self, x):
        return x
def draw():
    plt.plot([1, 2])
async def later():
    return 5
"""


def notebook(tmp_path: Path, test: str, student: str = STUDENT, after: str = "") -> NotebookNode:
    text = cell("helper", HELPER, locked=True) + "\n" + cell("task", student, solution=True)
    text += "\n" + cell("task-tests", test, points=1, grade=True, locked=True)
    if after:
        text += "\n# %%\n" + after
    path = tmp_path / "ps" / "ps.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return source.read(path)


REFUSED = {
    "get_ipython().run_line_magic('time', '1')": (1, "no magics"),
    "x = torch.ones(2, requires_grad=True)\ny = double(x)\n"
    "torch.autograd.grad(y.sum(), x, create_graph=True)": (3, "gradients of gradients"),
    "x = torch.ones(2, requires_grad=True)\n(double(x) ** 2).sum().backward(create_graph=True)": (
        2, "gradients of gradients"),
    "x = torch.ones(2, requires_grad=True)\nhs = double(x)\n"
    "torch.autograd.grad(hs[1], hs)": (3, "between two of its results"),
    "hs = double(torch.ones(2, requires_grad=True))\nhs.retain_grad()": (2, "between two"),
    "net = Net()\nopt = torch.optim.SGD(net.parameters(), lr=1)\ndouble(opt)": (3, "optimisers"),
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\ndouble(ax)": (3, "figures"),
    "torch.func.grad(lambda x: double(x).sum())(torch.ones(2))\ntorch.func.vmap(double)": (
        2, "torch.func"),
    "def hidden():\n    net = Net()\n    torch.jit.trace(net, torch.ones(1, 2))\nhidden()": (
        3, "traced or compiled"),
    "a = np.ones(3)\nassert not np.shares_memory(a, double(a))": (2, "lies in this process"),
    "a = np.ones(3)\ngot = double(a)\nassert got.base is a": (3, "lies in this process"),
    "import dis\ndis.dis(double)": (2, "no bytecode"),
    "from unittest import mock\nwith mock.patch('numpy.dot'):\n    double(2)": (2, "replacement"),
    "from unittest.mock import patch\nwith patch.object(np, 'dot'):\n    double(2)": (
        2, "replacement"),
    "np.linalg.inv = None\ndouble(2)": (1, "replacement"),
    "setattr(np, 'dot', None)\ndouble(2)": (1, "replacement"),
    "globals()['rate'] = 5\nstep(1)": (1, "replacement"),
    "rate = 5\nassert step(5) == 0": (1, "read the global 'rate'"),
    "def set_rate():\n    global rate\n    rate = 5\nset_rate()\nassert step(5) == 0": (
        3, "global 'rate'"),
    "class Mine(Net):\n    pass\nMine()": (1, "cannot be extended"),
    "import matplotlib.pyplot as plt\ndraw()\nassert plt.gca().lines": (3, "return its figure"),
    "import pickle\npickle.dumps(Net())": (2, "no pickle"),
    "import copy\ncopy.copy(Layer())": (2, "shallow copy"),
    "import unittest\nwith unittest.TestCase().assertLogs('a'):\n    double(2)": (2, "log mess"),
    "Layer.forward = lambda self, x: 7\nLayer().forward(1)": (1, "replacement"),
    "a = torch.ones(3)\nassert double(a).data_ptr() == a.data_ptr()": (2, "lies in this process"),
    "double('out.txt')\nassert open('out.txt').read()": (2, "different files"),
    "import tempfile\np = tempfile.mktemp()\nopen(p, 'w').write('1')\ndouble(p)": (
        3, "different files"),
}  # fmt: skip


@pytest.mark.parametrize("test", REFUSED)
def test_what_cannot_work_is_refused_with_a_way_round(test: str, tmp_path: Path) -> None:
    line, why = REFUSED[test]
    said = split.problems(notebook(tmp_path, test))
    assert len(said) == 1, said
    assert said[0].startswith(f"cell task-tests, line {line}: ")
    assert why in said[0] and "; " in said[0]


FINE = [
    "net = Net()\nloss = double(net(torch.ones(1, 2))).sum()\n"
    "torch.autograd.grad(loss, net.parameters())",
    "net = Net()\np = list(net.parameters())\ntorch.autograd.grad(net.lin.weight.sum(), p)",
    "opt = torch.optim.SGD([torch.ones(1)], lr=1)\ndouble(opt.param_groups[0]['lr'])",
    "opt = torch.optim.SGD([torch.ones(1)], lr=1)\ndouble(lambda: opt.step())",
    "assert double(2) == 4",
    "x = torch.ones(2, requires_grad=True)\ndouble(x).sum().backward()\nassert x.grad.sum() == 4",
    "net = Net()\nF.mse_loss(net(torch.ones(1, 2)), torch.ones(1, 1)).backward()\n"
    "torch.optim.SGD(net.parameters(), lr=0.1).step()",
    "x = torch.ones(2, dtype=torch.double, requires_grad=True)\n"
    "torch.autograd.gradcheck(double, x)",
    "x = torch.ones(2, requires_grad=True)\n"
    "torch.autograd.grad((x**2).sum(), x, create_graph=True)",
    "net = Net()\ntorch.func.functional_call(net, dict(net.named_parameters()), torch.ones(1, 2))",
    "assert double.__code__.co_argcount == 1",
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    double(2)",
    "import sys, io\nsys.stdout = io.StringIO()\ndouble(2)\nsys.stdout = sys.__stdout__",
    "import copy\ncopy.deepcopy(Net())",
    "import inspect\nassert 'for' not in inspect.getsource(double)",
    "import asyncio\nassert asyncio.run(later()) == 5 and await later() == 5",
    "import warnings\nwith warnings.catch_warnings(record=True) as w:\n    double(2)",
    "from unittest.mock import Mock, patch\nlayer = Layer()\n"
    "with patch.object(layer, 'forward'):\n    layer.forward(1)\ndouble(Mock())",
    "import warnings\nwith warnings.catch_warnings():\n    double(2)",
    "layer = Layer()\nlayer.forward = lambda x: 5\nLayer.rate = 3",
    # a layer with a backward method of its own
    "layer = Layer()\nassert layer.forward(1) == 1",
    "a = np.ones(3)\ngot = double(a)\nassert got is not a and not np.shares_memory(a, a[:1])",
    "assert isinstance(Net(), nn.Module) and isinstance(Net(), Net)",
    "net = Net()\nnet.eval()\nnet.lin.weight.data.zero_()\nassert not net.training",
    "import inspect\ndef mine(): pass\ninspect.getsource(mine)",
    "class Mine(nn.Module):\n    pass\nMine()",
    "rates = [0.1]\nassert step(1) == 0.9",
    "def check(f):\n    rate = 3\n    return f(rate)\ncheck(step)",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nplt.gca()",
    "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    print(1)",
    "import tempfile\np = tempfile.mktemp()\nopen(p, 'w').write('1')\nassert open(p).read()",
    "p = 'data.csv'\nassert double(p) == 2 * open(p).read()",
    "import io\nf = io.BytesIO()\nnp.save(f, np.ones(2))\nf.seek(0)\nnp.load(f)\ndouble(f)",
    "import pickle\npickle.dumps(np.ones(2))",
    "net = Net()\nnp.shares_memory(np.ones(1), np.ones(1))  # split: fine",
    "got = double(np.ones(2))\nassert got.base is None  # split: fine",
    "import copy\ncopy.deepcopy(double(np.ones(2)))",
    "with np.errstate(all='ignore'):\n    double(2)",
    "this is no Python",
    "await_me = 1\nimport asyncio\nawait asyncio.sleep(0)",
]


@pytest.mark.parametrize("test", FINE)
def test_what_works_passes(test: str, tmp_path: Path) -> None:
    assert split.problems(notebook(tmp_path, test), files=["data.csv"]) == []


def test_a_magic_in_a_test_is_refused(tmp_path: Path) -> None:
    for text in ("# %time double(2)", "# !ls", "# %%bash\n# ls"):
        nb = notebook(tmp_path, "assert 1\n" + text)
        nb.cells[-1].source = text.replace("# ", "")
        assert "no magics" in split.problems(nb)[0]
        nb.cells[1].source, nb.cells[-1].source = nb.cells[-1].source, "assert 1"
        assert split.problems(nb) == []  # in a student's cell it is all right


def test_a_name_from_a_test_cell_is_refused_where_others_need_it(tmp_path: Path) -> None:
    [said] = split.problems(notebook(tmp_path, "data = [1, 2]", after="x = 1\nprint(data)"))
    assert said.startswith("cell number 4, line 2: 'data' has its value from the test cell task-te")
    assert "locked cell without points" in said
    uses = "def total():\n    return sum(data)"
    [said] = split.problems(notebook(tmp_path, "data = [1, 2]\ntotal()", student=uses))
    assert said.startswith("cell task, line 2: 'data'")
    assert split.problems(notebook(tmp_path, "data = 1", after="data = 2\nprint(data)")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").glob("*/*.ipynb")), ids=str)
def test_our_own_sets_pass(path: Path) -> None:
    assert split.problems(nbformat.read(path, 4)) == []


def test_cells_that_work_in_two_processes_pass() -> None:
    """The rows that tests/autograder/job/test_ordinary_cells.py runs."""
    text = (Path(__file__).parent / "job" / "ordinary_cells.txt").read_text()
    said = {}
    rows = text.split("\n=== ")[1:]
    for row in rows:
        title, _, rest = row.partition("\n")
        code, _, test = rest.partition("\n---\n")
        cells = [
            nbformat.v4.new_code_cell(body, metadata={"nbgrader": {"schema_version": 3, **flags}})
            for body, flags in (
                (HELPER, {"locked": True, "grade_id": "helper"}),
                (code, {"solution": True, "grade_id": "task"}),
                (test, {"grade": True, "locked": True, "grade_id": "tests", "points": 1}),
            )
        ]
        if found := split.problems(nbformat.v4.new_notebook(cells=cells)):
            said[title] = found
    # this one gives a name of the student's a new value, and there the two ways do differ
    assert len(rows) > 80 and list(said) == ["helper class"]


def test_imports(tmp_path: Path) -> None:
    text = (
        "import numpy as np\nimport os.path, os\nimport xml.dom\nimport xml.sax\n"
        "from math import sqrt, pi as PI\nfrom torch import *\nimport torch.nn as nn\n"
        "from __future__ import annotations\nfrom . import near\n"
        "def f():\n    import inside"
    )
    assert split.imports(notebook(tmp_path, "import random", student=text)) == {
        "np": "import numpy as np",
        "os": "import os.path\nimport os",
        "xml": "import xml.dom\nimport xml.sax",
        "sqrt": "from math import sqrt",
        "PI": "from math import pi as PI",
        "nn": "import torch.nn as nn",
        "torch": "import torch",
        "F": "import torch.nn.functional as F",
        "random": "import random",
    }


def test_imports_run_as_they_stand(tmp_path: Path) -> None:
    text = "import os.path, os\nimport xml.dom\nimport xml.sax\nfrom math import pi as PI"
    for name, statement in split.imports(notebook(tmp_path, "1", student=text)).items():
        space: dict[str, object] = {}
        exec(statement, space)
        assert name in space


def test_hidden_ranges() -> None:
    text = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc\n# BEGIN HIDDEN TESTS\nd"
    assert split.hidden_ranges(text) == [[2, 4], [6, 7]]
    assert split.hidden_ranges("a\n### END HIDDEN TESTS") == []
    assert split.hidden_ranges("<<\na\n>>\nb", begin="<<", end=">>") == [[1, 3]]


def test_release_refuses_with_file_cell_and_line(
    make_course: MakeCourse, autograder: Command
) -> None:
    text = cell("task", "def f(x):\n    return x", solution=True)
    text += "\n" + cell("task-tests", "import dis\ndis.dis(f)", points=1,
                        grade=True, locked=True)  # fmt: skip
    root = make_course(text)
    for args in ([], ["--check"]):
        done = autograder("release", "--course-dir", root, *args)
        if args:  # written before it was refused, so that it can be looked at
            assert done.returncode == 2
        assert done.returncode == 2
        assert "tiny.ipynb: cell task-tests, line 2: " in done.stderr
        assert not (root / "exercises").exists()
