"""The export of taught code: what is written, where it points back to, how staleness is told."""

import importlib.util
from pathlib import Path

import pytest

from tools import export

ROOT = Path(__file__).resolve().parents[2]

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

"""

CHAPTER = (
    HEADER
    + """# Counting

```{code-cell} ipython3
:tags: [export]
import math
```

(down)=
## Downwards

```{code-cell} ipython3
:tags: [export]
def down(n):
    return math.floor(n) - 1
```

```{code-cell} ipython3
assert down(3) == 2
```
"""
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of one chapter, with an empty package."""
    folder = tmp_path / "book"
    (folder / "seqmodels").mkdir(parents=True)
    (folder / "07_counting.md").write_text(CHAPTER)
    return folder


def write(book: Path) -> None:
    for path, text in export.modules(book).items():
        path.write_text(text)


def test_the_module_runs_and_holds_only_what_is_tagged(book: Path) -> None:
    write(book)
    path = book / "seqmodels" / "counting.py"
    spec = importlib.util.spec_from_file_location("counting", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.down(3.5) == 2
    assert "assert" not in path.read_text()


def test_each_cell_points_back_to_its_section(book: Path) -> None:
    text = export.modules(book)[book / "seqmodels" / "counting.py"]
    assert text.startswith("# GENERATED from book/07_counting.md by `make export`")
    assert "# --- book/07_counting.md: Downwards (#down)\ndef down" in text


def test_out_of_date_is_told_with_the_command(book: Path) -> None:
    assert any("make export" in line for line in export.stale(book))
    write(book)
    assert export.stale(book) == []
    (book / "07_counting.md").write_text(CHAPTER.replace("- 1", "- 2"))
    assert export.stale(book) == ["book/seqmodels/counting.py is out of date: run `make export`"]


def test_a_module_without_chapter_is_told(book: Path) -> None:
    write(book)
    (book / "seqmodels" / "orphan.py").write_text("x = 1\n")
    assert export.stale(book) == [
        "book/seqmodels/orphan.py belongs to no chapter: run `make export`"
    ]


def test_a_header_that_hides_the_code_is_refused(book: Path) -> None:
    (book / "07_counting.md").write_text(CHAPTER.replace("    extension: .md\n", ""))
    with pytest.raises(ValueError, match="extension: .md"):
        export.modules(book)


def test_the_committed_modules_are_fresh() -> None:
    assert export.stale(ROOT / "book") == []
