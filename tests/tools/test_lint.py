"""The lint gate sees the code of pages, on the lines where it stands."""

from pathlib import Path

import pytest

from tools import lint

PAGE = """---
kernelspec: {name: python3}
---
# Title

```{code-cell} ipython3
:tags: [hide-input]
x = 1
```

Prose with `code`, and a block that is only shown:

```python
not_linted(
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: nothing
---
%matplotlib inline
y = x + undefined
```
"""


def test_code_stands_on_the_lines_of_the_page() -> None:
    code, count = lint.chapter_code(PAGE)
    page, lines = PAGE.splitlines(), code.splitlines()
    assert count == 2
    assert lines[page.index("x = 1")] == "x = 1"
    assert lines[page.index("y = x + undefined")] == "y = x + undefined"
    assert lines[page.index("%matplotlib inline")] == "pass"
    assert [line for line in lines if line] == ["x = 1", "pass", "y = x + undefined"]


def test_a_fault_in_a_cell_is_reported_on_its_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.py"
    path.write_text(lint.chapter_code(PAGE)[0])
    failed = lint.run("ruff", "ruff", "check", *lint.CELL_RULES, "--isolated", str(path))
    line = PAGE.splitlines().index("y = x + undefined") + 1
    out = capfd.readouterr().out
    assert failed == "ruff"
    assert "undefined" in out and f"page.py:{line}:" in out


def test_a_book_without_code_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "book").mkdir()
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    monkeypatch.setattr(lint, "OUT", tmp_path / "out")
    problems: list[str] = []
    lint.extract(problems)
    assert problems == ["no chapter found under book/: the gate saw no code"]
    # a header without the format is plain Markdown to jupytext
    (tmp_path / "book" / "01_plain.md").write_text("# Plain\n\n```python\nx = 1\n```\n")
    problems.clear()
    lint.extract(problems)
    assert len(problems) == 1 and "saw 0 code cells" in problems[0]
