"""What students ordinarily write runs in the sandbox as it runs in a kernel."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from tiny_course import Done, cell, hand_in, solved

from autograder.sandbox import best

MakeCourse = Callable[..., Path]
Command = Callable[..., Done]

# name -> (what stands in the solution cell, the test that must pass)
ORDINARY = {
    "await": (
        "import asyncio\nasync def wait():\n    await asyncio.sleep(0.01)\n    return 5\n"
        "waited = await wait()",
        "assert waited == 5",
    ),
    "timeit": ("%timeit -n 2 -r 2 sum(range(10))\ntimed = True", "assert timed"),
    "bang": ("files = !echo one; echo two\n!echo printed", "assert list(files) == ['one', 'two']"),
    "bash": ("%%bash\necho $((3 + 4)) > seven.txt", "assert True"),
    "after-bash": ("seven = open('seven.txt').read()", "assert seven == '7\\n'"),
    "plot": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2, 3])\nplt.show()",
        "assert list(ax.lines[0].get_ydata()) == [1, 2, 3]",
    ),
    "inline": (
        "%matplotlib inline\nimport numpy as np\nplt.imshow(np.eye(3))",
        "assert True",
    ),
    "rich": (
        "from IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n'result'",
        "assert True",
    ),
    "loader": (
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "data = TensorDataset(torch.arange(8.0))\n"
        "total = sum(float(x.sum()) for (x,) in DataLoader(data, batch_size=2, num_workers=2))",
        "assert total == 28",
    ),
    "pool": (
        "from multiprocessing import Pool\ndef square(x):\n    return x * x\n"
        "with Pool(2) as pool:\n    squares = pool.map(square, range(4))",
        "assert squares == [0, 1, 4, 9]",
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n    threaded = list(pool.map(str, range(3)))",
        "assert threaded == ['0', '1', '2']",
    ),
    "tempfile": (
        "import tempfile\nwith tempfile.TemporaryDirectory() as folder:\n"
        "    with open(f'{folder}/x', 'w') as file:\n        written = file.write('abc')",
        "assert written == 3",
    ),
    "shipped": ("shipped = open('shipped.txt').read()", "assert shipped == 'from the course'"),
    "module": (
        "from beside import thrice",
        "from beside import thrice as ours\nassert thrice(2) == ours(2) == 6",
    ),
    "written": (
        "%%writefile made_here.py\ndef four():\n    return 4",
        "assert True",
    ),
    "after-written": ("import made_here\nfour = made_here.four()", "assert four == 4"),
    "own-file": (
        "from pathlib import Path\nown = Path('own.csv')\nprint(own.exists() and own.read_text())",
        "assert True",
    ),
    "home": (
        "from pathlib import Path\nPath('~/notes.txt').expanduser().write_text('x')\n"
        "noted = Path.home().joinpath('notes.txt').exists()",
        "assert noted",
    ),
    "tqdm": (
        "import sys\nfor i in range(3):\n    print(i, file=sys.stderr, end='\\r')\ncounted = i",
        "assert counted == 2",
    ),
    "train": (
        "model = torch.nn.Linear(3, 1)\nstep = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "before = model.weight.detach().clone()\nmodel(torch.ones(2, 3)).sum().backward()\n"
        "step.step()",
        "assert not torch.equal(model.weight.detach(), before)",
    ),
}
ASKS = ("asks", "name = input('your name? ')", "assert name")


def source() -> str:
    """A set with a task and a test for each of them; the reference answer asks nobody."""
    cells = []
    for name, (_, test) in ORDINARY.items():
        cells.append(cell(name, "### BEGIN SOLUTION\npass\n### END SOLUTION", solution=True))
        cells.append(cell(f"{name}-tests", test, points=1, grade=True, locked=True))
    name, _, test = ASKS
    answer = "### BEGIN SOLUTION\nname = 'Ada'\n### END SOLUTION"
    cells.append(cell(name, answer, solution=True))
    cells.append(cell(f"{name}-tests", test, points=1, grade=True, locked=True))
    return "\n".join(cells)


@pytest.fixture
def graded(make_course: MakeCourse, autograder: Command) -> Path:
    """The course after one student's notebook was graded."""
    # modules beside the notebook are shipped where there is no text source to keep back
    root = make_course(source(), config="c.CourseDirectory.ignore = ['__pycache__']")
    # lines with magics stand in no Python source: they go straight into the notebook
    assert autograder("release", "--course-dir", root).returncode == 0
    path = root / "solutions/tiny/tiny.ipynb"
    nb = nbformat.read(path, 4)
    for c in nb.cells:
        if c.id in ORDINARY:
            body = ORDINARY[c.id][0]
            marked = f"### BEGIN SOLUTION\n{body}\n### END SOLUTION"
            c.source = body if body.startswith("%%") else marked
    nbformat.write(nb, path)
    (root / "solutions/tiny/tiny.py").unlink()
    (root / "solutions/tiny/shipped.txt").write_text("from the course")
    (root / "solutions/tiny/beside.py").write_text("def thrice(x):\n    return 3 * x\n")
    assert autograder("release", "--course-dir", root).returncode == 0
    hand_in(root, "ada", solved(root, {n: b for n, (b, _) in ORDINARY.items()} | dict([ASKS[:2]])))
    (root / "submitted/ada/tiny/own.csv").write_text("1,2")
    return root


@pytest.mark.parametrize("rung", [1, 2])
def test_ordinary_cells_run(graded: Path, autograder: Command, rung: int) -> None:
    if best(rung).rung != rung:
        pytest.skip(f"rung {rung} does not work here")
    command = ("grade", "tiny", "--course-dir", graded, "--rung", rung)
    done = autograder(*command, "--json", graded / "m.json")
    assert done.returncode == 0, done.stderr
    rows = {row["cell"]: row for row in json.loads((graded / "m.json").read_text())}
    wrong = {name: row["message"] for name, row in rows.items() if row["outcome"] != "passed"}
    nb = nbformat.read(graded / "autograded/ada/tiny/tiny.ipynb", 4)
    outputs = {c.id: c.outputs for c in nb.cells if c.cell_type == "code"}
    said = [outputs[name.removesuffix("-tests")] for name in wrong]
    assert list(wrong) == ["asks-tests"], (wrong, said)
    assert outputs["own-file"][0].text == "1,2\n"
    assert "printed" in outputs["bang"][0].text
    assert any("image/png" in out.get("data", {}) for out in outputs["plot"])
    assert any("image/png" in out.get("data", {}) for out in outputs["inline"])
    assert outputs["rich"][0].data["text/html"] == "<b>bold</b>"
    assert outputs["rich"][-1].data["text/plain"] == "'result'"
    error = outputs["asks"][-1]
    assert error.output_type == "error" and "input() has nobody to ask" in error.evalue
