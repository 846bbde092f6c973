"""What a cell is before Python compiles it: as IPython has it, whichever way it is found."""

from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograder.job.shell import warm

ROOT = Path(__file__).resolve().parents[3]

ODD = [
    "",
    "\n\nx = 1\ny = 2",
    "    x = 1\n    y = 2",
    "x = 1",
    "ls",
    "?print",
    "print?\nx = 1",
    "x = 1\n%timeit x",
    "%%bash\necho 1\n",
    "files = !ls\nfiles",
    "here = %pwd\nhere",
    ">>> x = 1\n>>> x",
    "In [3]: x = 1\n   ...: y = 2",
    "[1]: x = 1\n[2]: y = 2",
    '"""\n>>> x\n"""\nx = 1',
    'x = """\n   \n  a\n"""\ny = 1',
    'x = """\n...\n"""',
    "[\n    1,\n    2,\n]\n",
    "x = [\n    [1, 2],\n    [3, 4],\n]",
    "def f():\n    ...\n    [print(1)]",
    "import asyncio\nawait asyncio.sleep(0)\n",
    "async def f():\n    pass\nawait f()",
    "def f(:\n    pass",
    "x = 1\n\ty = 2",
    "if True:\n    x = 1\n\n\n\n    y = 2\n\n\n",
    "print 'x'\nprint 'y'",
    "x = '\\d'\ny = 1",
    "# %timeit\nx = 5 % 3\ny = x",
    "x = (5\n% 3)\ny = 1",
    "x = 1\\\n+ 1\ny = 2",
    "\ufeffx = 1\ny = 2",
    "x = 1\r\ny = 2\r\n",
    "x = 1\x0cy\nz = 1",
    "x = '\0'\ny = 1",
]


@pytest.mark.parametrize("source", ODD)
def test_odd_cells_become_what_ipython_makes_of_them(source: str) -> None:
    shell = warm()
    assert shell.transform_cell(source) == InteractiveShell.transform_cell(shell, source)
    manager = shell.input_transformer_manager
    assert shell.without_magics(source) == manager.transform_cell(source)


def test_ordinary_cells_are_not_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = warm()
    sources = []
    for path in sorted(ROOT.glob("exercises/*/*.ipynb")):
        sources += [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    want = [InteractiveShell.transform_cell(shell, source) for source in sources]
    assert len(want) > 20
    slow = []
    manager = shell.input_transformer_manager
    monkeypatch.setattr(manager, "transform_cell", lambda text: slow.append(text) or text)
    for source, transformed in zip(sources, want, strict=True):
        if "\n" in source.strip():
            assert shell.transform_cell(source) == transformed
    assert len(slow) < 0.1 * len(sources)


@pytest.mark.parametrize("source", [*ODD, "awaited = 1\nx = 2", "x = [y async for y in z]\n"])
def test_what_awaits_is_known(source: str) -> None:
    shell = warm()
    cell = InteractiveShell.transform_cell(shell, source)
    want = InteractiveShell.should_run_async(shell, source, transformed_cell=cell)
    assert shell.should_run_async(source, transformed_cell=cell) == want
