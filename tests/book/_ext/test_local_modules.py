"""A chapter runs again when a local module that it imports has changed, and only then."""

from __future__ import annotations

from pathlib import Path

import local_modules
import pytest
from small_book import HEADER

CHAPTER = """# A chapter

Prose.

```{{code-cell}} ipython3
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from tools_of_mine.numbers import answer
with Path({log!r}).open("a") as out:
    out.write("ran ")
print("the answer is", answer())
```
"""


@pytest.fixture
def chapter(book, tmp_path: Path):
    """A book whose only page imports a local package that imports another module of it."""
    local = tmp_path / "book"
    log = tmp_path / "log"
    log.write_text("")
    text = HEADER + CHAPTER.format(folder=str(local), log=str(log))
    made = book(
        ["myst_nb", "local_modules"],
        {
            "index.md": text,
            "tools_of_mine/__init__.py": "",
            "tools_of_mine/numbers.py": "from tools_of_mine.deep import VALUE\n\n\n"
            "def answer():\n    return VALUE\n",
            "tools_of_mine/deep.py": "VALUE = 41\n",
            "tools_of_mine/unused.py": "x = 1\n",
        },
        {
            "nb_execution_mode": "cache",
            "nb_execution_cache_path": str(tmp_path / "cache"),
            "nb_execution_raise_on_error": True,
            "local_module_roots": ["."],
        },
    )
    made.runs = lambda: log.read_text().count("ran")
    return made


def test_a_changed_module_runs_the_chapter_again(chapter) -> None:
    result = chapter.build()
    assert result.clean, result.warnings
    assert "the answer is 41" in result.html("index")
    assert chapter.runs() == 1

    # nothing changed: nothing runs
    assert chapter.build().clean
    assert chapter.runs() == 1

    # prose changed: read again, outputs from the cache
    page = chapter.folder / "index.md"
    chapter.write("index.md", page.read_text().replace("Prose.", "Better prose."))
    html = chapter.build().html("index")
    assert "Better prose." in html and "the answer is 41" in html
    assert chapter.runs() == 1

    # a module that the chapter does not import: nothing runs
    chapter.write("tools_of_mine/unused.py", "x = 2\n")
    chapter.build()
    assert chapter.runs() == 1

    # a module two imports away
    chapter.write("tools_of_mine/deep.py", "VALUE = 42\n")
    result = chapter.build()
    assert "the answer is 42" in result.html("index")
    assert chapter.runs() == 2

    # and back: the first outputs are still in the cache
    chapter.write("tools_of_mine/deep.py", "VALUE = 41\n")
    assert "the answer is 41" in chapter.build().html("index")
    assert chapter.runs() == 2


def test_imports_are_found_everywhere_in_the_code() -> None:
    code = "%matplotlib inline\n!ls\nimport a.b\nif True:\n    from c import d\nfrom . import e\n"
    assert local_modules.imports(code) == {"a.b", "c", "c.d"}


def test_code_that_does_not_parse_is_left_to_the_kernel() -> None:
    assert local_modules.imports("import a\nx = (") == set()


def test_fingerprint_covers_data_beside_the_module(tmp_path: Path) -> None:
    """A style sheet of matplotlib decides what a figure looks like."""
    package = tmp_path / "look"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "course.mplstyle").write_text("font.size: 10\n")
    before = local_modules.fingerprint({"look"}, [tmp_path])
    (package / "course.mplstyle").write_text("font.size: 11\n")
    assert local_modules.fingerprint({"look"}, [tmp_path]) != before


def test_fingerprint_covers_the_versions_of_other_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local_modules.fingerprint({"numpy"}, [tmp_path])
    monkeypatch.setattr(local_modules.metadata, "version", lambda name: "0.0.0")
    assert local_modules.fingerprint({"numpy"}, [tmp_path]) != before


def test_relative_imports_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import x\n")
    (package / "inner.py").write_text("x = 1\n")
    before = local_modules.fingerprint({"pack"}, [tmp_path])
    (package / "inner.py").write_text("x = 2\n")
    assert local_modules.fingerprint({"pack"}, [tmp_path]) != before
