"""A class for the grader's benchmark: one assignment of two notebooks, and clean submissions.

One notebook is NumPy, the other PyTorch with a module and an optimiser step. Each has visible and
hidden tests, several graded cells and ordinary cells; the first has a question that is marked by
hand. Submissions differ from each other; some are wrong, some raise, some were never begun. None
is hostile, warns or lacks a cell, so stock nbgrader must give the same marks.
"""

import random
from collections.abc import Iterable
from pathlib import Path

from autograder import start

start.quickly()

import nbformat  # noqa: E402
from nbformat import NotebookNode  # noqa: E402

from autograder import release, source  # noqa: E402
from autograder.course import load  # noqa: E402

PS = "load"


def _cell(name: str, body: str, points: int = 0, kind: str = "code", **flags: bool) -> str:
    meta = {key: flags.get(key, False) for key in ("grade", "locked", "solution", "task")}
    items = [f'"{key}": {str(value).lower()}' for key, value in meta.items()]
    items += [f'"grade_id": "{name}"', '"schema_version": 3']
    items += [f'"points": {points}'] if points else []
    mark = "[markdown] " if kind == "markdown" else ""
    return f"# %% {mark}nbgrader={{{', '.join(items)}}}\n{body}\n"


def _task(name: str, stub: str, answer: str, visible: str, hidden: str, points: int) -> str:
    solution = f"{stub}\n    ### BEGIN SOLUTION\n{answer}\n    ### END SOLUTION"
    tests = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return "\n".join([
        f"# %% [markdown]\n# ## {name}\n",
        _cell(name, solution, solution=True),
        _cell(f"{name}-tests", tests, points, grade=True, locked=True),
    ])  # fmt: skip


NUMBERS = "\n".join([
    "# %% [markdown]\n# # Numbers\n",
    _cell("numbers-setup", """import numpy as np


def close(got, want):
    return np.shape(got) == np.shape(want) and np.allclose(got, want, rtol=0, atol=1e-9)""",
          locked=True),
    _task("softmax", "def softmax(x):", "    e = np.exp(x - x.max(axis=-1, keepdims=True))\n"
          "    return e / e.sum(axis=-1, keepdims=True)",
          'assert close(softmax(np.zeros(4)), np.full(4, 0.25)), "equal scores, equal shares"',
          'got = softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)]]))\n'
          'assert close(got, [[0.5, 0.5], [0.25, 0.75]]), "subtract the largest, row by row"\n'
          "for n in range(2, 12):\n"
          "    x = np.random.default_rng(n).normal(size=(n, 7))\n"
          "    want = np.exp(x) / np.exp(x).sum(axis=1)[:, None]\n"
          '    assert close(softmax(x), want), "any shape must work"', 3),
    _task("average", "def average(x, width):",
          "    return np.convolve(x, np.ones(width) / width, mode='valid')",
          'assert close(average(np.arange(4.0), 2), [0.5, 1.5, 2.5]), "means of neighbours"',
          "x = np.random.default_rng(0).normal(size=50)\n"
          "for width in (1, 3, 50):\n"
          "    want = [x[i : i + width].mean() for i in range(51 - width)]\n"
          '    assert close(average(x, width), want), "only whole windows count"', 2),
    _task("walk", "def walk(steps, seed):",
          "    rng = np.random.default_rng(seed)\n"
          "    return np.cumsum(rng.choice([-1, 1], size=steps))",
          'assert len(walk(10, 0)) == 10, "one position a step"',
          "got = np.asarray(walk(2000, 1))\n"
          'assert set(np.abs(np.diff(got))) == {1}, "each step goes up or down by one"\n'
          'assert list(walk(50, 3)) == list(walk(50, 3)), "a seed gives the same walk"\n'
          'assert np.abs(got).max() > 5, "steps add up"', 2),
    "# %% [markdown]\n# ## Why?\n",
    _cell("why", "# ### BEGIN SOLUTION\n# Because exp overflows.\n# ### END SOLUTION", 4,
          "markdown", grade=True, solution=True),
])  # fmt: skip

NETS = "\n".join([
    "# %% [markdown]\n# # Nets\n",
    _cell("nets-setup", """import torch
import torch.nn.functional as F
from torch import nn


def data(n, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=generator)
    return x, (x[:, :1] - 2 * x[:, 1:2]).tanh()""", locked=True),
    _cell("net", '''class Net(nn.Module):
    """Two layers with tanh between them: 4 -> width -> 1."""

    def __init__(self, width):
        super().__init__()
        ### BEGIN SOLUTION
        self.first = nn.Linear(4, width)
        self.second = nn.Linear(width, 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.second(torch.tanh(self.first(x)))
        ### END SOLUTION''', solution=True),
    _cell("net-tests", '''torch.manual_seed(0)
net = Net(8)
assert net(torch.zeros(5, 4)).shape == (5, 1), "one number for each row"
### BEGIN HIDDEN TESTS
count = sum(p.numel() for p in Net(16).parameters())
assert count == 4 * 16 + 16 + 16 + 1, "two linear layers, each with its bias"
x, _ = data(20, 1)
state = {name: value.double() for name, value in net.state_dict().items()}
weights = [v for v in state.values() if v.ndim == 2]
biases = [v for v in state.values() if v.ndim == 1]
first = torch.tanh(x.double() @ weights[0].T + biases[0])
want = first @ weights[1].T + biases[1]
assert torch.allclose(net(x).detach().double(), want, rtol=0, atol=1e-5), "tanh in between"
### END HIDDEN TESTS''', 4, grade=True, locked=True),
    _task("step", "def step(net, x, y, lr):",
          "    optimizer = torch.optim.SGD(net.parameters(), lr=lr)\n"
          "    loss = F.mse_loss(net(x), y)\n"
          "    optimizer.zero_grad()\n"
          "    loss.backward()\n"
          "    optimizer.step()\n"
          "    return loss.item()",
          "torch.manual_seed(1)\nnet, (x, y) = Net(8), data(32, 2)\n"
          'assert step(net, x, y, 0.05) > step(net, x, y, 0.05), "a step lowers the loss"',
          "torch.manual_seed(2)\nnet, (x, y) = Net(16), data(64, 3)\n"
          "losses = [step(net, x, y, 0.1) for _ in range(60)]\n"
          'assert losses[-1] < 0.5 * losses[0], "sixty steps must go a good way down"\n'
          "before = {k: v.clone() for k, v in net.state_dict().items()}\n"
          "step(net, x, y, 0.0)\n"
          'assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items()), '
          '"a rate of zero changes nothing"', 5),
    _task("count", "def count_right(scores, labels):",
          "    return int((scores.argmax(dim=1) == labels).sum())",
          'assert count_right(torch.eye(3), torch.tensor([0, 1, 1])) == 2, "rows are cases"',
          "scores = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))\n"
          "labels = torch.arange(40) % 5\n"
          "want = sum(int(row.argmax()) == int(k) for row, k in zip(scores, labels))\n"
          'assert count_right(scores, labels) == want, "the largest score wins"', 2),
])  # fmt: skip

SOURCES = {"numbers": NUMBERS, "nets": NETS}

RIGHT = {
    "softmax": """def softmax(x):
    p = np.exp(x - np.max(x, -1, keepdims=True))
    return p / np.sum(p, -1, keepdims=True)""",
    "average": """def average(x, width):
    out = []
    for i in range(len(x) - width + 1):
        out.append(sum(x[i : i + width]) / width)
    return np.array(out)""",
    "walk": """def walk(steps, seed):
    rng = np.random.default_rng(seed)
    here, path = 0, []
    for _ in range(steps):
        here += 1 if rng.random() < 0.5 else -1
        path.append(here)
    return np.array(path)""",
    "net": """class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))
    def forward(self, x):
        return self.body(x)""",
    "step": """def step(net, x, y, lr):
    net.zero_grad()
    loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= lr * p.grad
    return loss.item()""",
    "count": """def count_right(scores, labels):
    right = 0
    for row, label in zip(scores, labels):
        right += int(row.argmax() == label)
    return right""",
}
WRONG = {
    "softmax": """def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()""",
    "average": """def average(x, width):
    return np.convolve(x, np.ones(width) / width)[1:-1]""",
    "walk": """def walk(steps, seed):
    return np.random.default_rng(seed).choice([-1, 1], steps)""",
    "net": """class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))
    def forward(self, x):
        return self.body(x)""",
    "step": """def step(net, x, y, lr):
    loss = F.mse_loss(net(x), y)
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=abs(lr) + 1e-4).step()
    return loss.item()""",
    "count": """def count_right(scores, labels):
    return int((scores.argmax(dim=0) == 0).sum())""",
}
RAISES = {
    "softmax": """def softmax(x):
    return x / total""",
    "average": """def average(x, width):
    return x[width]['mean']""",
    "walk": """def walk(steps, seed)
    return None""",
    "net": """class Net(nn.Module):
    def __init__(self, width):
        self.a = nn.Linear(4, 1)""",
    "step": """def step(net, x, y, lr):
    raise RuntimeError('not yet')""",
    "count": """def count_right(scores, labels):
    return scores.best(labels)""",
}


def write(root: Path, numbers: Iterable[int]) -> None:
    """Write the course: `source/`, what `release` makes of it, and the submissions."""
    folder = root / "source" / PS
    folder.mkdir(parents=True)
    for name, text in SOURCES.items():
        path = folder / f"{name}.py"  # nbgrader would hand it out: gone when the notebook is made
        path.write_text(text)
        path.with_suffix(".ipynb").write_bytes(source.write(source.read(path)))
        path.unlink()
    course = load(root)
    release.write(course, PS)
    released = {name: nbformat.read(course.release(PS) / f"{name}.ipynb", 4) for name in SOURCES}
    masters = {name: nbformat.read(folder / f"{name}.ipynb", 4) for name in SOURCES}
    for number in numbers:
        for name in SOURCES:
            nb = submission(released[name], masters[name], number)
            target = root / "submitted" / f"student-{number:04d}" / PS / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.write(nb))


def submission(released: NotebookNode, master: NotebookNode, number: int) -> NotebookNode:
    """One student's notebook; the same number always gives the same one."""
    # of twenty: fourteen right by one of two routes, four wrong or raising somewhere, two untouched
    place = number % 20
    untouched, wrong = place in (7, 17), place in (3, 9, 12, 15)
    reference = {cell.id: cell.source for cell in master.cells}
    nb = nbformat.from_dict(released)
    names = [cell.id for cell in nb.cells if cell.id in RIGHT]
    rng = random.Random(f"{number} {names}")
    spoilt = {rng.choice(names)} if wrong else set()
    for cell in nb.cells:
        if untouched or not cell.metadata.get("nbgrader", {}).get("solution"):
            continue
        if cell.id in spoilt:
            cell.source = (WRONG if rng.random() < 0.6 else RAISES)[cell.id]
        elif cell.id in RIGHT and rng.random() < 0.5:
            cell.source = RIGHT[cell.id]
        else:
            cell.source = "\n".join(
                line for line in reference[cell.id].split("\n") if "SOLUTION" not in line
            )
        if cell.cell_type == "code":
            cell.source = f"# attempt {rng.randrange(1000)}\n{cell.source}"
    if not untouched:
        drawn = [rng.randrange(100) for _ in range(20)]
        text = f"notes = {drawn}\nprint(sorted(notes)[:5])\nlen(notes)"
        nb.cells.append(nbformat.v4.new_code_cell(text, id="notes"))
    return nb
